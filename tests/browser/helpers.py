"""Parts of the page that several test modules look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

VIEWS = ("calls", "tools", "clients", "destinations")


def rows(page: Page) -> Locator:
    """Return the rows of the list."""
    return page.locator(".calls tbody tr")


def line(page: Page) -> Locator:
    """Return the filter line."""
    return page.get_by_role("searchbox", name="Filter")


def heading(page: Page) -> Locator:
    """Return the heading of an open call."""
    return page.locator("#call h2")
