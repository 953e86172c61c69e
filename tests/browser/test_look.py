"""What the page looks like: colours, sizes, and what a screen reader finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from .helpers import VIEWS, heading, line, rows

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from .conftest import Visit
    from .ui import Ui

BACKGROUND = "getComputedStyle(document.body).backgroundColor"
DARK, LIGHT = "rgb(20, 23, 27)", "rgb(255, 255, 255)"
CONTRAST = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) => 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue);
  const groundOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const ground = channels(getComputedStyle(at).backgroundColor);
      if (ground.length === 3 || ground[3] === 1) return ground;
    }
    return [255, 255, 255];
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [text, ground] = [channels(getComputedStyle(element).color), groundOf(element)];
    const [one, other] = [luminance(text), luminance(ground)].sort((a, b) => b - a);
    found[`${text} on ${ground}`] = [(one + 0.05) / (other + 0.05), element.outerHTML.slice(0, 120)];
  }
  return found;
}"""
SHIFT = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => {
    resolve(list.getEntries().filter((entry) => !entry.hadRecentInput).reduce((sum, entry) => sum + entry.value, 0));
  }).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(0), 1000);
})"""


def ready(page: Page, view: str) -> None:
    """Wait until a view shows what it asked for."""
    content = {"calls": ".calls tbody tr", "destinations": ".cards section:not([aria-busy])"}
    expect(page.locator(content.get(view, ".groups tbody tr")).first).to_be_visible()


def test_the_system_chooses_light_or_dark_and_the_switch_overrides_it(travel: Ui, visit: Visit) -> None:
    """The switch goes from the system's choice to light and dark, and is remembered."""
    page = visit(travel, color_scheme="dark")
    assert page.evaluate(BACKGROUND) == DARK
    page.emulate_media(color_scheme="light")
    assert page.evaluate(BACKGROUND) == LIGHT
    page.get_by_role("button", name="Colours: as the system").click()
    page.get_by_role("button", name="Colours: light").click()
    page.reload()
    expect(page.get_by_role("button", name="Colours: dark")).to_be_visible()
    assert page.evaluate(BACKGROUND) == DARK


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_a_contrast_of_at_least_4_5(scheme: str, travel: Ui, visit: Visit) -> None:
    """Every colour of text on its background, in every view, in an open call and in the help."""
    page = visit(travel, color_scheme=scheme)
    found: dict[str, tuple[float, str]] = {}
    for view in VIEWS:
        page.goto(
            f"{travel.origin}/?view={view}&q=status%3Aerror" if view == "calls" else f"{travel.origin}/?view={view}"
        )
        ready(page, view)
        found |= page.evaluate(CONTRAST)
    page.goto(travel.origin)
    page.get_by_text("More filters").click()
    ready(page, "calls")
    page.keyboard.press("j")
    found |= page.evaluate(CONTRAST)
    page.goto(f"{travel.origin}/?q=tool%3Abook_hotel+status%3Aerror")
    rows(page).first.locator(".details a").click()
    expect(page.get_by_label("Traceback")).to_be_visible()
    found |= page.evaluate(CONTRAST)
    page.keyboard.press("?")
    found |= page.evaluate(CONTRAST)
    assert len(found) > 8
    assert {pair: ratio for pair, ratio in found.items() if ratio[0] < 4.5} == {}


@pytest.mark.parametrize("width", [360, 1280, 3840])
def test_no_view_scrolls_sideways(width: int, travel: Ui, visit: Visit) -> None:
    """On a phone, a laptop and a 4k screen, in each view, in an open call and in the help."""
    page = visit(travel, viewport={"width": width, "height": 800})
    for view in VIEWS:
        page.goto(f"{travel.origin}/?view={view}&q=tool%3Abook_hotel")
        ready(page, view)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view
    page.goto(f"{travel.origin}/?q=tool%3Abook_hotel+status%3Aerror")
    page.get_by_text("More filters").click()
    rows(page).first.locator(".details a").click()
    expect(page.get_by_label("Traceback")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("?")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    size = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    assert size >= {360: 15, 1280: 14, 3840: 18}[width]


def test_nothing_moves_when_the_charts_arrive(travel: Ui, visit: Visit) -> None:
    """The histogram has its place before it is counted."""
    page = visit(travel)
    expect(page.get_by_role("img", name="600 calls")).to_be_visible()
    assert page.evaluate(SHIFT) < 0.02


def test_every_control_has_a_name_and_the_views_their_landmarks(travel: Ui, visit: Visit) -> None:
    """A screen reader finds no control without a name, one main part, and tables with headings."""
    page = visit(travel)
    for view in VIEWS:
        page.goto(f"{travel.origin}/?view={view}")
        ready(page, view)
        expect(page.get_by_role("main")).to_have_count(1)
        expect(page.get_by_role("navigation", name="Views")).to_be_visible()
        tree = page.locator("body").aria_snapshot()
        unnamed = [part for part in tree.splitlines() if part.strip() in {"- button", "- link", "- combobox", "- img"}]
        assert unnamed == [], view
    page.goto(travel.origin)
    expect(page.get_by_role("table", name="Calls").get_by_role("columnheader")).to_have_count(7)
    expect(page.get_by_role("row").nth(1).get_by_role("cell")).to_have_count(7)
    expect(line(page)).to_be_visible()


def test_the_title_names_view_filter_and_project(travel: Ui, visit: Visit) -> None:
    """Tabs and bookmarks can be told apart."""
    page = visit(travel, "/?view=tools&q=client%3Acursor")
    expect(page).to_have_title("Tools \u2013 client:cursor \u2013 Travel")
    expect(page.get_by_role("heading", level=1)).to_have_text("Travel")
    page.goto(travel.origin)
    rows(page).first.locator(".details a").click()
    expect(heading(page)).to_be_visible()
    expect(page).to_have_title(page.title())
    assert page.title().startswith("Call ")
