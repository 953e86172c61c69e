"""Who may see the page, and what its files may not contain."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from scripts.project import ROOT

from .helpers import rows

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from .conftest import Visit
    from .ui import Ui

STATIC = ROOT / "{{cookiecutter.project_slug}}/src/{{cookiecutter.project_slug}}/cli/ui/static"
FORBIDDEN = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function|srcdoc|https?://(?!www\.w3\.org/)"
)
JINJA = re.compile(r"\{\{|\{%|\{#|%\}")


def test_the_token_leaves_the_address_bar(travel: Ui, visit: Visit) -> None:
    """It is in a cookie that scripts cannot read, and not in the history."""
    page = visit(travel)
    expect(rows(page).first).to_be_visible()
    assert page.url == f"{travel.origin}/"
    assert page.evaluate("document.cookie") == ""
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert cookie["value"] in travel.url
    assert cookie["value"] not in page.content()


def test_another_browser_needs_the_token(travel: Ui, browser: Browser) -> None:
    """Without it, neither the page nor its API answers."""
    context = browser.new_context()
    try:
        page = context.new_page()
        for path in ("/", "/api/entries", "/static/main.js"):
            answer = page.goto(travel.origin + path)
            assert answer is not None
            assert answer.status == 401
            assert "the address that the command printed" in page.content()
    finally:
        context.close()


def test_no_module_parses_text_as_html() -> None:
    """All that is recorded becomes text nodes; nothing is loaded from elsewhere."""
    found = {
        path.name: match.group()
        for path in STATIC.iterdir()
        if (match := FORBIDDEN.search(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_no_file_of_the_page_looks_like_a_template() -> None:
    """The files are the same in each project."""
    found = [path.name for path in STATIC.iterdir() if JINJA.search(path.read_text(encoding="utf-8"))]
    assert found == []
