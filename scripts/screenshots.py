"""Take the documentation's screenshots of the page, from a project that is baked and filled for it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.chromium import launched
from tests.browser.ui import Ui
from tests.support.project import SLUG, Project, install

from .project import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

FOLDER = ROOT / ".cache" / "screenshots"
IMAGES = ROOT / "docs" / "images"
FIXTURES = ROOT / "tests" / "browser" / "fixtures"
ANSWERS = {"project_name": "Travel", "project_slug": SLUG, "include_admin_ui": "yes"}
CALLS = 700
WIDE, NARROW = {"width": 1280, "height": 600}, {"width": 360, "height": 640}
FAILED = "/?q=tool%3Abook_hotel+status%3Aerror"


def main() -> None:
    """Take all screenshots and print their names."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    IMAGES.mkdir(parents=True, exist_ok=True)
    install(FOLDER, answers=ANSWERS, tools=FIXTURES / "agency.py")
    project = Project(FOLDER)
    subprocess.run([project.python, FIXTURES / "travel.py", FOLDER / "logs.db", str(CALLS)], check=True)
    ui = Ui(project, FOLDER)
    ui.start()
    try:
        with launched() as browser:
            take_all(browser, ui)
    finally:
        ui.stop()


def take_all(browser: Browser, ui: Ui) -> None:
    """Take each view once."""
    save(opened(browser, ui), "calls")
    save(opened(browser, ui, scheme="dark"), "calls-dark")
    save(opened(browser, ui, viewport=NARROW), "calls-narrow")
    save(opened(browser, ui, "/?view=tools"), "tools")
    save(opened(browser, ui, "/?view=clients"), "clients")
    call = opened(browser, ui, FAILED)
    call.locator(".calls tbody .details a").first.click()
    expect(call.get_by_label("Traceback")).to_be_visible()
    call.evaluate("document.activeElement.blur()")
    save(call, "call", is_whole=True)


def opened(
    browser: Browser, ui: Ui, place: str = "/", *, scheme: str = "light", viewport: dict[str, int] = WIDE
) -> Page:
    """Return a page that has drawn its rows and its charts."""
    context = browser.new_context(
        viewport={"width": viewport["width"], "height": viewport["height"]},
        color_scheme="dark" if scheme == "dark" else "light",
        locale="en-GB",
        timezone_id="UTC",
    )
    page = context.new_page()
    page.goto(ui.url)
    page.goto(ui.origin + place)
    expect(page.locator(".calls tbody tr, .groups tbody tr").first).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"\d calls")).last).to_be_visible()
    if "view=" in place:
        page.wait_for_load_state("networkidle")
    return page


def save(page: Page, name: str, *, is_whole: bool = False) -> None:
    """Write an image of the window, or of the whole page, and print its name."""
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled", full_page=is_whole)
    page.context.close()
    print(path.relative_to(ROOT), f"{path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
