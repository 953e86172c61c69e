"""The other views, and the export."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from .helpers import heading, line, rows
from .ui import count

if TYPE_CHECKING:
    from .conftest import Visit
    from .ui import Ui

TOOLS = ["book_hotel", "convert_currency", "get_weather", "search_flights"]


def test_tools_have_their_numbers_and_lead_to_the_calls(travel: Ui, visit: Visit) -> None:
    """Each number is what the store holds, and a click on it lists the calls that it counts."""
    page = visit(travel, "/?view=tools")
    table = page.get_by_role("region", name="Tools, table")
    row = table.get_by_role("row").filter(has=page.get_by_role("rowheader", name="book_hotel"))
    condition = "log_type = 'tool_execution' AND tool_name = 'book_hotel'"
    calls, failures = count(travel.folder, condition), count(travel.folder, f"{condition} AND status <> 'success'")
    expect(row.get_by_role("cell").nth(0)).to_have_text(str(calls))
    expect(row.get_by_role("cell").nth(1)).to_have_text(str(failures))
    expect(row.get_by_role("img", name=f"{calls} calls over time")).to_be_visible()
    expect(row.locator(".reason")).to_contain_text("503 Service Unavailable")
    row.get_by_role("cell").nth(1).get_by_role("link").click()
    expect(line(page)).to_have_value("tool:book_hotel level:WARNING")
    expect(page.get_by_role("img", name=re.compile(f"^{failures} calls"))).to_be_visible()
    page.go_back()
    row.locator(".reason").click()
    expect(heading(page)).to_contain_text("book_hotel error")


def test_tables_are_sorted_by_any_column(travel: Ui, visit: Visit) -> None:
    """The order is part of the address; a second click reverses it."""
    page = visit(travel, "/?view=tools")
    table = page.get_by_role("region", name="Tools, table")
    names = table.get_by_role("rowheader")
    table.get_by_role("button", name="tool", exact=True).click()
    expect(names).to_have_text(TOOLS)
    page.reload()
    expect(names).to_have_text(TOOLS)
    table.get_by_role("button", name="tool", exact=True).click()
    expect(names).to_have_text(TOOLS[::-1])
    for column in table.locator("thead button").all_inner_texts()[1:]:
        table.get_by_role("button", name=column, exact=True).click()
        expect(table.get_by_role("columnheader", name=column, exact=True)).to_have_attribute("aria-sort", "descending")
        assert parse_qs(urlsplit(page.url).query)["sort"] == [f"-{column}"]


def test_clients_and_principals_are_counted(travel: Ui, visit: Visit) -> None:
    """Calls without a principal have a row, too, and the filter narrows all tables."""
    page = visit(travel, "/?view=clients&q=tool%3Aget_weather")
    clients = page.get_by_role("region", name="Clients, table").get_by_role("rowheader")
    expect(clients).to_have_count(3)
    expect(page.get_by_role("region", name="Principals, table")).to_contain_text("not authenticated")
    clients.filter(has_text="cursor").get_by_role("link").click()
    expect(rows(page).first.locator(".tool")).to_have_text("get_weather")
    expect(rows(page).first.locator(".client")).to_have_text("cursor")


def test_destinations_say_what_they_hold(travel: Ui, visit: Visit) -> None:
    """Entries, their first and last time, and the size."""
    page = visit(travel, "/?view=destinations")
    card = page.get_by_role("region", name="sqlite")
    expect(card).to_contain_text(f"{count(travel.folder, 'true'):,}")
    for text in ("shown on this page", "Switched on", "oldest", "newest", "MB"):
        expect(card).to_contain_text(text)


def test_exports_are_whole(travel: Ui, visit: Visit) -> None:
    """Both formats hold everything that the filter matches."""
    page = visit(travel, "/?q=tool%3Abook_hotel")
    calls = count(travel.folder, "log_type = 'tool_execution' AND tool_name = 'book_hotel'")
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON lines").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert {json.loads(row)["tool_name"] for row in text.splitlines()} == {"book_hotel"}
    assert len(text.splitlines()) == calls
    assert download.value.suggested_filename == "calls.jsonl"
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    with download.value.path().open(encoding="utf-8", newline="") as file:
        table = [*csv.DictReader(file)]
    assert len(table) == calls
    assert {row["tool_name"] for row in table} == {"book_hotel"}
