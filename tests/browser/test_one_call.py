"""One call: its whole story, from who called to the traceback."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.processes import LineServer

from .conftest import FIXTURES
from .helpers import heading, line, rows

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

    from tests.support.project import Project

    from .conftest import Serve, Visit
    from .ui import Ui


@pytest.fixture
def failed(project: Project, tmp_path: Path, serve: Serve) -> Ui:
    """Serve the page of a server whose tools were called; the last call failed."""
    with LineServer(project, tmp_path) as server:
        server.call("quote", text='{"price": 420, "legs": [{"flight": "KL861"}]}')
        server.call("book", city="Kyoto")
        assert server.end() == 0
    return serve(tmp_path)


def copied(page: Page, button: str) -> str:
    """Return what a button puts on the clipboard."""
    page.get_by_role("button", name=button, exact=True).first.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    expect(page.get_by_role("button", name=button, exact=True).first).to_be_visible()
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_a_failing_call_is_told_from_caller_to_traceback(failed: Ui, visit: Visit) -> None:
    """Who called, the arguments, every log line with its offset, the reason and the traceback."""
    page = visit(failed)
    expect(rows(page).first.locator(".reason")).to_have_text("no rooms in Kyoto (RuntimeError)")
    rows(page).first.click()
    expect(heading(page)).to_have_text(re.compile(r"^book error in \d"))
    call = page.locator("#call")
    for text in ("raw 1.2", "over stdio", "2025-06-18", "no rooms in Kyoto", "tools/call"):
        expect(call).to_contain_text(text)
    expect(call.locator(".json").first).to_contain_text('city: "Kyoto"')
    lines = call.locator(".timeline li")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text(re.compile(r"\+\d+(\.\d)? ms\s*INFO\s*asking 3 suppliers in Kyoto"))
    expect(lines.nth(1)).to_contain_text(re.compile(r"\+\d+(\.\d)? ms\s*WARNING\s*a supplier does not answer"))
    places = lines.locator("i").evaluate_all("marks => marks.map((mark) => mark.getBoundingClientRect().x)")
    assert places == sorted(places)
    expect(page.get_by_label("Traceback")).to_contain_text("raise RuntimeError(msg)")


def test_a_result_that_is_json_folds(failed: Ui, visit: Visit) -> None:
    """Its containers close and open by keyboard and mouse."""
    page = visit(failed, "/?q=tool%3Aquote")
    rows(page).first.click()
    result = page.locator("#call .json").last
    expect(result).to_contain_text('flight: "KL861"')
    result.locator("summary", has_text="1 item").click()
    expect(result.get_by_text('"KL861"')).to_be_hidden()


def test_the_keyboard_alone_leads_to_the_traceback(failed: Ui, visit: Visit) -> None:
    """From the filter line to the end of the traceback without a mouse."""
    page = visit(failed)
    expect(rows(page)).to_have_count(2)
    page.keyboard.press("/")
    page.keyboard.type("status:error")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(heading(page)).to_be_focused()
    for _ in range(60):
        if page.evaluate("document.activeElement.getAttribute('aria-label') === 'Traceback'"):
            break
        page.keyboard.press("Tab")
    expect(page.get_by_label("Traceback")).to_be_focused()
    expect(page.get_by_label("Traceback")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(rows(page).first.locator(".details a")).to_be_focused()
    expect(line(page)).to_have_value("status:error")


def test_a_call_is_copied_as_json_as_command_and_as_request(failed: Ui, visit: Visit) -> None:
    """Each button says that it copied; the copies are whole."""
    page = visit(failed, permissions=["clipboard-read", "clipboard-write"])
    rows(page).first.click()
    expect(heading(page)).to_be_visible()
    call = json.loads(copied(page, "Copy JSON"))
    assert (call["call"]["tool_name"], len(call["entries"])) == ("book", 2)
    assert copied(page, "Copy command") == f"my-mcp-server logs show {call['call']['entry_id']}"
    request = json.loads(copied(page, "Copy JSON-RPC"))
    assert request["params"] == {"name": "book", "arguments": {"city": "Kyoto"}}
    assert copied(page, "Copy link") == page.url
    assert copied(page, "Copy") == call["call"]["entry_id"]


def test_long_integers_keep_their_digits(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """Arguments, results and copies have the number that was recorded, although JavaScript would round it."""
    long = "1234567890123456789"
    with LineServer(project, tmp_path) as server:
        server.call("quote", text=int(long))
        server.call("quote", text=f'{{"id": {long}, "size": -{long}, "share": 0.5}}')
        server.call("quote", text=long)
    page = visit(serve(tmp_path), permissions=["clipboard-read", "clipboard-write"])
    rows(page).nth(1).click()
    for part in (f"id: {long}", f"size: -{long}", "share: 0.5"):
        expect(page.locator("#call .json").last).to_contain_text(part)
    page.keyboard.press("Escape")
    rows(page).nth(0).click()
    expect(page.locator("#call pre").last).to_have_text(long)
    page.keyboard.press("Escape")
    rows(page).nth(2).click()
    expect(page.locator("#call .json").first).to_contain_text(f"text: {long}")
    assert json.loads(copied(page, "Copy JSON"))["call"]["input_args"] == {"text": int(long)}
    assert json.loads(copied(page, "Copy JSON-RPC"))["params"]["arguments"] == {"text": int(long)}


def test_a_call_that_does_not_exist_is_explained(failed: Ui, visit: Visit) -> None:
    """A link to a call that was deleted says so, and leads back."""
    page = visit(failed, "/?id=ffffffffff", may_fail=True)
    expect(page.get_by_text(re.compile("No entry id or correlation id"))).to_be_visible()
    page.get_by_role("button", name="calls").click()
    expect(rows(page)).to_have_count(2)


def test_values_of_a_call_are_filters(failed: Ui, visit: Visit) -> None:
    """A click on the error's class, or the client, lists the calls that share it."""
    page = visit(failed)
    for name, word in [("RuntimeError", "error-type:RuntimeError"), ("raw", "client:raw")]:
        rows(page).first.click()
        page.locator("#call").get_by_role("link", name=name, exact=True).click()
        expect(line(page)).to_have_value(word)
        expect(rows(page).first).to_be_visible()


def test_a_trace_id_leads_to_the_tracing_system(project: Project, tmp_path: Path, serve: Serve, visit: Visit) -> None:
    """With `--trace-url` it is a link, which tells the other site nothing about the page."""
    done = project.run_python(tmp_path, FIXTURES / "travel.py", tmp_path / "logs.db", "6")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "logs.db")) as connection:
        statement = "SELECT entry_id, trace_id FROM unified_logs WHERE trace_id IS NOT NULL"
        call, trace = connection.execute(statement).fetchone()
    address = "http://127.0.0.1:16686/trace/{trace_id}"
    link = visit(serve(tmp_path, "--trace-url", address), f"/?id={call}").get_by_role("link", name=trace)
    expect(link).to_have_attribute("href", address.format(trace_id=trace))
    expect(link).to_have_attribute("rel", "noreferrer")
