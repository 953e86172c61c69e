"""Everything that is shown was written by strangers: nothing of it runs, and the page keeps its shape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from .conftest import FIXTURES
from .helpers import VIEWS, heading, line, rows
from .ui import Ui

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.support.project import Project

    from .conftest import Visit

CALLS = 9
LINES = [
    "<script>window.hacked=1</script>",
    "javascript:window.hacked=1",
    'tool:"</script><img src=x onerror=window.hacked=1>"',
    "\u202e\u2066 status:error \u200f",
    "text:" + "A" * 2000,
    '"unclosed',
]


@pytest.fixture(scope="module")
def hostile(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """Serve the page of calls whose every field is an attack."""
    folder = tmp_path_factory.mktemp("hostile")
    done = project.run_python(folder, FIXTURES / "hostile.py", folder / "logs.db")
    assert done.returncode == 0, done.stderr
    ui = Ui(project, folder)
    ui.start()
    yield ui
    ui.stop()


def harm(page: Page) -> list[str]:
    """Return what a text did to the page: ran, became an element, or made it wider than the window."""
    found: list[str] = page.evaluate(
        """() => [
          window.hacked !== undefined && "ran",
          ...document.querySelectorAll("script:not([src='/static/main.js'])"),
          ...document.querySelectorAll("img, iframe, object, embed, [onerror], [onmouseover], [onfocus]"),
          ...[...document.querySelectorAll("a")].filter((link) => link.protocol !== "http:"),
          document.documentElement.scrollWidth > innerWidth && `${document.documentElement.scrollWidth} px wide`,
        ].filter(Boolean).map((one) => one.outerHTML ?? one)"""
    )
    return found


def test_nothing_runs_in_any_view(hostile: Ui, visit: Visit) -> None:
    """On a laptop and on a phone, in the list and in the tables."""
    for width in (1280, 360):
        page = visit(hostile, viewport={"width": width, "height": 800})
        for view in VIEWS:
            page.goto(f"{hostile.origin}/?view={view}")
            expect(page.locator(".calls tbody tr, .groups tbody tr, .cards dl").first).to_be_visible()
            assert harm(page) == [], (view, width)
        page.goto(f"{hostile.origin}/?q=type%3Aany")
        expect(rows(page)).to_have_count(2 * CALLS - 1)
        assert harm(page) == [], width


def test_nothing_runs_in_any_call(hostile: Ui, visit: Visit) -> None:
    """Long texts are cut, and a button shows more of them."""
    page = visit(hostile, viewport={"width": 1000, "height": 800})
    expect(rows(page)).to_have_count(CALLS)
    identifiers = rows(page).evaluate_all("rows => rows.map((row) => row.dataset.id)")
    for entry_id in identifiers:
        page.goto(f"{hostile.origin}/?id={entry_id}")
        expect(heading(page)).to_be_visible()
        for summary in page.locator("#call details:not([open]) > summary").all():
            summary.click()
        assert harm(page) == [], entry_id
        if page.get_by_text("more characters").count():
            before = page.evaluate("document.body.textContent.length")
            assert before < 400_000
            page.get_by_text("more characters").first.click()
            assert page.evaluate("document.body.textContent.length") > before
            assert harm(page) == [], entry_id


def test_five_thousand_keys_are_shown_in_steps(hostile: Ui, visit: Visit) -> None:
    """The container is closed at first, opens with some keys, and has a button for more."""
    page = visit(hostile, "/?q=tool%3Amany_keys")
    rows(page).first.click()
    tree = page.locator("#call .json").first
    tree.get_by_text("5,000 keys").click()
    expect(tree.locator("li")).to_have_count(200)
    tree.get_by_role("button", name="4,800 more").click()
    expect(tree.locator("li")).to_have_count(400)


def test_a_hostile_filter_line_stays_text(hostile: Ui, visit: Visit) -> None:
    """In the line, in its chips and in the title; also as the address of a link that was sent."""
    page = visit(hostile, may_fail=True)
    for words in LINES:
        page.goto(f"{hostile.origin}/?{urlencode({'q': words})}")
        expect(line(page)).to_have_value(re.compile(re.escape(words.strip()[:40])))
        expect(page.locator(".calls tbody tr, .state").first).to_be_visible()
        assert harm(page) == [], words
    for address in (
        "/?view=__proto__",
        "/?view=%3Cscript%3E&id=%22%3E%3Cimg%20src=x%3E",
        "/?sort=constructor&view=tools",
    ):
        page.goto(hostile.origin + address)
        expect(page.locator(".calls tbody tr, .groups tbody tr, #call .state").first).to_be_visible()
        assert harm(page) == [], address
