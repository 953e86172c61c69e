"""The first view: calls as they are recorded, and the filters that narrow them."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.processes import LineServer

from .conftest import FIXTURES
from .helpers import heading, line, rows
from .ui import Ui, count

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page, Route

    from tests.support.project import Project

    from .conftest import Serve, Visit

WORDS = [
    ("tool:book_hotel", ".tool", "book_hotel"),
    ("status:validation_error", ".status", "validation_error"),
    ("client:cursor", ".client", "cursor"),
    ("principal:ann@example.org", ".principal", "ann@example.org"),
    ("error-type:TimeoutError", ".details", "The exchange did not answer"),
    ("min-ms:1200", ".took", r"1\.[2-9] s|[2-9]\.\d s|[1-9]\d\.\d s|1 min"),
    ("level:ERROR", ".status", "error|ERROR"),
    ("type:internal", ".details", "asking|cache miss|trying again|giving up"),
    ("type:any level:WARNING tool:book_hotel", ".status", "WARNING|ERROR|error"),
    ("method:tools/call", ".tool", "search_flights|get_weather|book_hotel|convert_currency"),
    ('text:"503 Service Unavailable"', ".details", "503 Service Unavailable"),
    ("Kyoto", ".details", "Kyoto"),
    ("tool:book_hotel status:error Kyoto", ".details", "Kyoto"),
]
CONTROLS = [
    ("Status", "status", "error"),
    ("Period", "since", "1h"),
    ("Show", "type", "any"),
    ("Level", "level", "WARNING"),
    ("Method", "method", "tools/call"),
]
FIELDS = [
    ("Tool", "tool", "book_hotel"),
    ("Client", "client", "cursor"),
    ("Principal", "principal", "svc-42"),
    ("Error class", "error-type", "TimeoutError"),
    ("Took at least, ms", "min-ms", "100"),
    ("Until", "until", "1h"),
    ("Id", "id", "3f"),
    ("Correlation id", "correlation-id", "none"),
]
BECOME = """state => {
  Object.defineProperty(document, "hidden", { get: () => state === "hidden", configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Make the page believe that its tab is hidden or visible."""


def q_of(page: Page) -> str:
    """The filter that the address has."""
    return parse_qs(urlsplit(page.url).query).get("q", [""])[0]


def test_a_call_appears_within_a_second(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """Its server is another process; the fastest of three calls counts, because the machine may be busy."""
    with LineServer(project, tmp_path) as server:
        server.call("quote", text="before")
        ui = serve(tmp_path)
        page = visit(ui)
        expect(rows(page)).to_have_count(1)
        seconds = []
        for number in range(3):
            server.call("quote", text=f"call {number}")
            returned = time.monotonic()
            expect(rows(page).first).to_contain_text(f'text="call {number}"')
            seconds.append(time.monotonic() - returned)
        assert min(seconds) < 1.0, seconds
        expect(page.get_by_role("img", name=re.compile("^4 calls"))).to_be_visible()


def test_each_word_leaves_only_what_it_names(travel: Ui, visit: Visit) -> None:
    """Written into the filter line, each word of the terminal narrows the list."""
    page = visit(travel)
    for words, cell, pattern in WORDS:
        line(page).fill(words)
        line(page).press("Enter")
        expect(page).to_have_title(f"Calls \u2013 {words} \u2013 Travel")
        expect(rows(page).first.locator(cell), words).to_contain_text(re.compile(pattern))
        texts = rows(page).locator(cell).all_inner_texts()
        assert [text for text in texts if not re.search(pattern, text)] == [], words


def test_words_of_time_and_ids_leave_only_what_they_name(travel: Ui, visit: Visit) -> None:
    """`since:` and `until:` bound the list, `id:` and `correlation-id:` find one call."""
    page = visit(travel)
    expect(rows(page).nth(30)).to_be_visible()
    middle = rows(page).nth(20)
    moment, entry_id = middle.get_attribute("data-time"), middle.get_attribute("data-id")
    assert moment is not None
    assert entry_id is not None
    for words in (f"since:{moment}", f"until:{moment}"):
        page.goto(f"{travel.origin}/?{urlencode({'q': words})}")
        expect(rows(page).first).to_be_visible()
        times = rows(page).evaluate_all("rows => rows.map((row) => row.dataset.time)")
        assert all((time >= moment) == words.startswith("since") for time in times)
    for words in (f"id:{entry_id[:10]}", f"correlation-id:{entry_id}", "correlation-id:none"):
        page.goto(f"{travel.origin}/?{urlencode({'q': words})}")
        expect(page.locator(".calls tbody tr, .state")).to_have_count(1)
    page.goto(f"{travel.origin}/?{urlencode({'q': f'id:{entry_id[:10]}'})}")
    expect(rows(page)).to_have_attribute("data-id", entry_id)


def test_a_misspelt_word_is_explained(travel: Ui, visit: Visit) -> None:
    """The list says which word was meant, in the server's sentence."""
    page = visit(travel, may_fail=True)
    line(page).fill("statsu:error")
    line(page).press("Enter")
    expect(page.get_by_text(re.compile("unknown word 'statsu'.*status"))).to_be_visible()


def test_each_control_writes_its_word(travel: Ui, visit: Visit) -> None:
    """Controls and words are the same filters: a control changes the address, and a chip removes the word."""
    page = visit(travel)
    page.get_by_text("More filters").click()
    for label, word, value in CONTROLS:
        page.get_by_role("combobox", name=label).select_option(value)
        expect(page.get_by_role("combobox", name=label)).to_have_value(value)
        assert q_of(page) == f"{word}:{value}"
        page.get_by_title("Remove from the filter").click()
        expect(line(page)).to_have_value("")
    for label, word, value in FIELDS:
        page.get_by_role("textbox", name=label, exact=True).fill(value)
        page.get_by_role("textbox", name=label, exact=True).press("Enter")
        expect(line(page)).to_have_value(f"{word}:{value}")
        page.get_by_title("Remove from the filter").click()
        expect(line(page)).to_have_value("")


def test_a_click_on_a_value_filters_by_it(travel: Ui, visit: Visit) -> None:
    """The row stays in the list, and the address has the word."""
    page = visit(travel)
    for column in ("time", "tool", "status", "took", "client", "principal"):
        page.goto(f"{travel.origin}/?q=principal%3Asvc-42")
        row = rows(page).filter(has=page.locator(".took", has_text=re.compile(r"\d\d ms"))).first
        entry_id = row.get_attribute("data-id")
        row.locator(f".{column} a").click()
        word = {"time": "until", "took": "min-ms"}.get(column, column)
        expect(line(page)).to_have_value(re.compile(f"^{word}:"))
        expect(page.locator(f".calls [data-id='{entry_id}']")).to_be_visible()


def test_the_address_says_everything(travel: Ui, visit: Visit) -> None:
    """Loading it again, going back, and a second tab show the same rows and the same open call."""
    page = visit(travel)
    page.get_by_role("combobox", name="Status").select_option("error")
    expect(rows(page).first.locator(".status")).to_have_text("error")
    rows(page).nth(2).locator(".details a").click()
    expect(page.get_by_role("heading", level=2)).to_contain_text("error")
    heading, address = page.get_by_role("heading", level=2).inner_text(), page.url
    page.reload()
    expect(page.get_by_role("heading", level=2)).to_have_text(heading)
    other = page.context.new_page()
    other.goto(address)
    expect(other.get_by_role("heading", level=2)).to_have_text(heading)
    other.keyboard.press("Escape")
    expect(other.get_by_role("combobox", name="Status")).to_have_value("error")
    expect(rows(other).first.locator(".status")).to_have_text("error")
    other.go_back()
    expect(other.get_by_role("heading", level=2)).to_have_text(heading)


def test_dragging_over_the_histogram_chooses_the_period(travel: Ui, visit: Visit) -> None:
    """The words are times to the second; the chip says them in words, and removes both."""
    page = visit(travel)
    picture = page.get_by_role("img", name=re.compile("calls.*from"))
    box = picture.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(line(page)).to_have_value(re.compile(r"^since:[\dT:-]+Z until:[\dT:-]+Z$"))
    expect(rows(page).first).to_be_visible()
    since, until = (part.split(":", 1)[1] for part in q_of(page).split())
    times = rows(page).evaluate_all("rows => rows.map((row) => row.dataset.time)")
    assert all(since[:-1] <= time < until[:-1] for time in times)
    chip = page.get_by_title("Remove from the filter")
    expect(chip).to_have_text(re.compile(r"\d\d:\d\d(:\d\d)? \u2013 .*\d\d:\d\d"))
    chip.click()
    expect(line(page)).to_have_value("")


def test_keys_lead_through_the_list(travel: Ui, visit: Visit) -> None:
    """`?` explains them, `j` and `k` mark a row, Enter opens it, Esc goes back to it, `l` pauses."""
    page = visit(travel)
    expect(rows(page).nth(5)).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("next and previous call")
    page.keyboard.press("Escape")
    for key, index in [("j", 0), ("j", 1), ("j", 2), ("k", 1)]:
        page.keyboard.press(key)
        expect(rows(page).nth(index)).to_have_attribute("aria-current", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2)).to_be_focused()
    page.keyboard.press("Escape")
    expect(rows(page).nth(1)).to_have_attribute("aria-current", "true")
    expect(rows(page).nth(1).locator(".details a")).to_be_focused()
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="paused")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("/")
    expect(line(page)).to_be_focused()
    page.keyboard.type("no such thing l")
    page.keyboard.press("Escape")
    expect(line(page)).to_have_value("")


def test_enter_on_an_open_call_does_not_open_another(travel: Ui, visit: Visit) -> None:
    """The list that it hides has a marked row, which may be another call."""
    page = visit(travel)
    expect(rows(page).nth(5)).to_be_visible()
    page.keyboard.press("j")
    expect(rows(page).nth(0)).to_have_attribute("aria-current", "true")
    rows(page).nth(4).locator(".details a").click()
    expect(heading(page)).to_be_focused()
    address = page.url
    page.keyboard.press("Enter")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.url == address


def test_a_list_that_is_scrolled_down_holds_still(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """A pill says how many calls are new, and shows them; a paused list waits in the same way."""
    with LineServer(project, tmp_path) as server:
        for number in range(40):
            server.call("quote", text=f"old {number}")
        ui = serve(tmp_path)
        page = visit(ui, viewport={"width": 1000, "height": 500})
        expect(rows(page)).to_have_count(40)
        rows(page).nth(25).scroll_into_view_if_needed()
        before = rows(page).nth(25).bounding_box()
        for number in range(3):
            server.call("quote", text=f"new {number}")
        pill = page.get_by_role("button", name="3 new")
        expect(pill).to_be_visible()
        assert rows(page).nth(25).bounding_box() == before
        expect(rows(page)).to_have_count(40)
        pill.click()
        expect(rows(page).first).to_contain_text("new 2")
        expect(rows(page).first).to_be_in_viewport()
        page.keyboard.press("l")
        server.call("quote", text="while paused")
        expect(page.get_by_role("button", name="1 new")).to_be_visible()
        expect(rows(page)).to_have_count(43)
        page.keyboard.press("l")
        expect(rows(page).first).to_contain_text("while paused")


def record_while_hidden(page: Page, server: LineServer, folder: Path, calls: int) -> None:
    """Call a tool while the page does not listen, and let the page catch up when all is recorded."""
    recorded = count(folder)
    page.evaluate(BECOME, "hidden")
    for number in range(calls):
        server.call("quote", text=f"hidden {number}")
    wait_for_entries(folder, "log_type = 'tool_execution'", recorded + calls)
    page.evaluate(BECOME, "visible")


def load_everything(page: Page, number: int) -> None:
    """Load older calls until so many are listed; they are in order."""
    page.evaluate("window.scrolling = setInterval(() => scrollTo(0, 1e9), 50)")
    expect(rows(page)).to_have_count(number)
    page.evaluate("clearInterval(window.scrolling)")
    times = rows(page).evaluate_all("rows => rows.map((row) => row.dataset.time)")
    assert times == sorted(times, reverse=True)


def test_an_older_page_does_not_follow_a_newer_list(
    project: Project, tmp_path: Path, serve: Serve, visit: Visit
) -> None:
    """If the list begins anew while older calls are loading, their answer is dropped: calls in between are missing."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with LineServer(project, tmp_path) as server:
        for number in range(70):
            server.call("quote", text=f"old {number}")
        page = visit(serve(tmp_path), viewport={"width": 1000, "height": 500}, may_fail=True)
        expect(rows(page)).to_have_count(50)
        page.route("**/api/entries?*before=*", hold)
        with page.expect_request("**/api/entries?*before=*"):
            page.evaluate("document.querySelector('.more').click()")
        record_while_hidden(page, server, tmp_path, 60)
        expect(rows(page).first).to_contain_text("hidden 59")
        for route in held:
            route.continue_()
        page.unroute("**/api/entries?*before=*")
        load_everything(page, 130)


def test_calls_between_two_lists_are_loaded_if_their_starts_are_recorded(
    project: Project, tmp_path: Path, serve: Serve, visit: Visit
) -> None:
    """A page without the starts of calls that ended is not full, and yet there may be more behind it."""
    with LineServer(project, tmp_path, LOG_CALL_STARTS="true") as server:
        for number in range(5):
            server.call("quote", text=f"old {number}")
        page = visit(serve(tmp_path), "/?q=type%3Aany+tool%3Aquote", viewport={"width": 1000, "height": 500})
        expect(rows(page)).to_have_count(5)
        record_while_hidden(page, server, tmp_path, 60)
        expect(rows(page).first).to_contain_text("hidden 59")
        load_everything(page, 65)


def test_a_late_call_appears_at_its_place(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """It has the time of its start: if it is older than all that is listed, it comes with its page."""
    with LineServer(project, tmp_path) as server:
        hanging = {"name": "hang", "arguments": {}}
        server.send({"jsonrpc": "2.0", "id": 999, "method": "tools/call", "params": hanging})
        for number in range(60):
            server.call("quote", text=f"old {number}")
        page = visit(serve(tmp_path), viewport={"width": 1000, "height": 500})
        expect(rows(page)).to_have_count(50)
        server.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 999}})
        wait_for_entries(tmp_path, "tool_name = 'hang' AND log_type = 'tool_execution'", 1)
        server.call("quote", text="the newest")
        expect(rows(page).first).to_contain_text("the newest")
        expect(rows(page)).to_have_count(51)
        load_everything(page, 62)
        expect(rows(page).last).to_contain_text("hang")


def test_calls_that_never_ended_are_found(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """With LOG_CALL_STARTS, `status:started` lists calls whose server was killed, and not those that ended."""
    with LineServer(project, tmp_path, LOG_CALL_STARTS="true") as server:
        server.call("quote", text="ended")
        server.send({"jsonrpc": "2.0", "id": 99, "method": "tools/call", "params": {"name": "hang", "arguments": {}}})
        wait_for_entries(tmp_path, "status = 'started'", 2)
        server.process.kill()
    ui = serve(tmp_path)
    page = visit(ui)
    page.get_by_role("combobox", name="Status").select_option("unfinished")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).locator(".status")).to_have_text("unfinished")
    rows(page).locator(".details a").click()
    expect(page.get_by_text("No end of this call is recorded")).to_be_visible()


def wait_for_entries(folder: Path, condition: str, number: int) -> None:
    """Wait until so many entries are recorded."""
    end = time.monotonic() + 30
    while count(folder, condition) < number:
        assert time.monotonic() < end, f"not recorded: {condition}"
        time.sleep(0.05)


def test_a_long_search_says_so_and_can_be_cancelled(travel: Ui, visit: Visit) -> None:
    """Esc ends it; the request is gone, and the search can be tried again."""
    page = visit(travel, may_fail=True)
    expect(rows(page).first).to_be_visible()
    page.route("**/api/entries?q=slow*", lambda route: None)
    line(page).fill("slow")
    line(page).press("Enter")
    expect(page.get_by_text(re.compile(r"Searching for \d s…"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("The search was cancelled.")).to_be_visible()
    page.unroute("**/api/entries?q=slow*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Nothing that is recorded matches this filter.")).to_be_visible()
    page.get_by_role("button", name="Clear the filter").click()
    expect(rows(page).first).to_be_visible()


def test_a_cancelled_search_with_results_is_live(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """New calls that match appear, the search does not go on by itself, and nothing is said to be counted."""

    def answer_in_part(route: Route) -> None:
        if "before=" not in route.request.url:
            answer = route.fetch()
            route.fulfill(response=answer, json={**answer.json(), "next": "2020-01-01T00:00:00+00:00~0"})

    with LineServer(project, tmp_path) as server:
        server.call("quote", text="slow 1")
        page = visit(serve(tmp_path), may_fail=True)
        expect(rows(page)).to_have_count(1)
        page.route("**/api/entries?q=slow*", answer_in_part)
        line(page).fill("slow")
        line(page).press("Enter")
        expect(rows(page)).to_have_count(1)
        expect(page.get_by_text("Searching")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_text("The search was cancelled.")).to_be_visible()
        expect(page.locator(".histogram figcaption")).to_contain_text("The calls are not counted")
        server.call("quote", text="slow 2")
        expect(rows(page)).to_have_count(2)
        expect(page.get_by_text("The search was cancelled.")).to_be_visible()
        page.unroute("**/api/entries?q=slow*")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("The search was cancelled.")).to_be_hidden()
        expect(page.get_by_role("img", name=re.compile("^2 calls"))).to_be_visible()


def test_an_empty_store_says_what_to_do_next(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """Each view names the command that records a first call."""
    project.run(tmp_path, "doctor")
    ui = serve(tmp_path)
    page = visit(ui)
    for view in ("calls", "tools", "clients"):
        page.goto(f"{ui.origin}/?view={view}")
        expect(page.get_by_text("my-mcp-server call TOOL key=value").first).to_be_visible()


@pytest.mark.alone
def test_ten_thousand_rows_stay_usable(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """The list loads older calls by itself up to 10,000, then at a click; keys and new calls work as before."""
    done = project.run_python(tmp_path, FIXTURES / "travel.py", tmp_path / "logs.db", "10500")
    assert done.returncode == 0, done.stderr
    ui = serve(tmp_path)
    page = visit(ui)
    expect(rows(page).first).to_be_visible()
    more = page.get_by_role("button", name=re.compile(r"Show older calls \(10,\d+ are shown\)"))
    page.evaluate("window.scrolling = setInterval(() => scrollTo(0, 1e9), 50)")
    expect(more).to_be_visible(timeout=120_000)
    page.evaluate("clearInterval(window.scrolling)")
    shown = rows(page).count()
    assert 10_000 <= shown < 10_500
    page.keyboard.press("j")
    expect(rows(page).first).to_have_attribute("aria-current", "true")
    with LineServer(project, tmp_path) as server:
        server.call("quote", text="the newest")
    page.get_by_role("button", name="1 new").click()
    expect(rows(page).first).to_contain_text("the newest")
    more.click()
    expect(rows(page)).to_have_count(10_501)
