"""The JSON API: what it answers, and how it refuses."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import MemoryDestination
from helpers import eventually, make_entry

from {{cookiecutter.project_slug}}.choices import COMMAND, TITLE
from {{cookiecutter.project_slug}}.cli.ui.api import MAX_PAGE_SIZE
from {{cookiecutter.project_slug}}.cli.ui.rows import MAX_CELL
from {{cookiecutter.project_slug}}.logging.correlation import new_id
from {{cookiecutter.project_slug}}.logging.histogram import MAX_BUCKETS
from {{cookiecutter.project_slug}}.logging.query import MAX_LIMIT
from {{cookiecutter.project_slug}}.logging.stats import GROUPS, stats_of

from ..cli_helpers import ENTRIES, NOON, NOW, REASON, ago, make_call, make_failure, make_start
from .ui_helpers import (
    BrokenDestination,
    OldestDestination,
    SilentDestination,
    app_of,
    ask,
    ask_json,
    every_source,
    local_source,
    visit,
    with_parameters,
)

if TYPE_CHECKING:
    from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination

CALLS = [
    make_call("add", timestamp=ago(seconds=1), client_name="desk", principal="ann", output_size=10),
    make_failure(
        "divide", timestamp=ago(minutes=5), entry_id=f"f00d{new_id()[4:]}", correlation_id="0a1b", client_name="desk"
    ),
    make_call("add", timestamp=ago(hours=30), client_name="phone", output_size=30),
]
"""Calls, newest first."""


async def test_about_names_the_project_and_the_destination() -> None:
    """The page shows them."""
    expected = {"title": TITLE, "command": COMMAND, "source": "memory", "trace_url": None}
    assert await ask_json(app_of(), "/api/about") == expected


@every_source
async def test_entries_are_rows_newest_first(source: LogDestination) -> None:
    """A row has what the list shows; of the entries, only calls are shown unless the filter says otherwise."""
    await source.write_batch([*CALLS, *ENTRIES[2:]])
    app = app_of(source)
    page = await ask_json(app, "/api/entries")
    assert (page["source"], page["next"]) == (source.name, None)
    assert [row["id"] for row in page["entries"]] == [call.entry_id for call in CALLS]
    assert page["entries"][1] == {
        "id": CALLS[1].entry_id,
        "correlation_id": "0a1b",
        "timestamp": ago(minutes=5).isoformat(timespec="microseconds"),
        "level": "ERROR",
        "type": "tool_execution",
        "status": "error",
        "is_request": True,
        "ends_as": None,
        "name": "divide",
        "tool": "divide",
        "duration_ms": 12.0,
        "client": "desk",
        "principal": "",
        "reason": f"{REASON} (ZeroDivisionError)",
        "arguments": "a=1 b=0",
        "details": "",
    }
    assert len((await ask_json(app, "/api/entries", q="type:any"))["entries"]) == 5


@every_source
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_the_next_page_begins_where_the_last_one_ended(source: LogDestination, limit: int) -> None:
    """`next` is null on the last page, or on an empty one behind it."""
    await source.write_batch(CALLS)
    app, ids, before = app_of(source), list[str](), None
    for _ in range(5):
        page = await ask_json(app, "/api/entries", limit=limit, before=before)
        ids += [row["id"] for row in page["entries"]]
        if (before := page["next"]) is None:
            break
    assert ids == [call.entry_id for call in CALLS]


@every_source
async def test_a_search_may_be_answered_bit_by_bit(source: LogDestination) -> None:
    """`searched` says how much of the time is searched; the answers together are those of one search."""
    await source.write_batch([make_call(timestamp=ago(hours=hours), error_message="x") for hours in range(50)])
    app, found, before = app_of(source), 0, None
    while True:
        page = await ask_json(app, "/api/entries", q="x", seconds=1, limit=20, before=before)
        found += len(page["entries"])
        assert page["searched"] is None or 0 <= page["searched"] <= 1
        if (before := page["next"]) is None:
            break
    assert found == 50


async def test_long_texts_are_cut_in_rows() -> None:
    """The call itself has them in full."""
    source = MemoryDestination()
    await source.write(make_failure("long", error_message="x" * 100_000, input_args={"text": "y" * 100_000}))
    (row,) = (await ask_json(app_of(source), "/api/entries"))["entries"]
    assert max(len(value) for value in row.values() if isinstance(value, str)) == MAX_CELL + 1
    call = (await ask_json(app_of(source), f"/api/entries/{row['id']}"))["call"]
    assert len(call["error_message"]) == len(call["input_args"]["text"]) == 100_000


async def test_the_start_of_a_call_is_shown_until_its_end() -> None:
    """`ends_as` is the id that its end will have."""
    source = MemoryDestination()
    call = make_call()
    await source.write(make_start(call))
    (row,) = (await ask_json(app_of(source), "/api/entries", q="type:any"))["entries"]
    assert (row["status"], row["ends_as"]) == ("unfinished", call.entry_id)
    await source.write(call)
    (row,) = (await ask_json(app_of(source), "/api/entries", q="type:any"))["entries"]
    assert (row["id"], row["ends_as"]) == (call.entry_id, None)


@every_source
async def test_a_call_is_shown_with_all_that_was_recorded_during_it(source: LogDestination) -> None:
    """Its entries in full, the command that shows it, and the request as a client sends it."""
    lines = [make_entry(f"line {number}", correlation_id="0a1b", timestamp=CALLS[1].timestamp) for number in range(2)]
    await source.write_batch([*CALLS, *lines])
    for word in (CALLS[1].entry_id, "f00d", "0a1b"):
        story = await ask_json(app_of(source), f"/api/entries/{word}")
        assert story["call"] == {**CALLS[1].to_dict(), "shown_status": "error", "is_request": True}
        assert sorted(entry["message"] for entry in story["entries"]) == ["line 0", "line 1"]
        assert story["outer"] is None
        assert story["command"] == f"{COMMAND} logs show {CALLS[1].entry_id}"
        parameters = {"name": "divide", "arguments": {"a": 1, "b": 0}}
        assert story["json_rpc"] == {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}


@pytest.mark.parametrize("size", [None, 13])
async def test_a_call_whose_arguments_are_not_recorded_has_no_request_to_copy(size: int | None) -> None:
    """With LOG_ARGUMENTS=false only their size is known; a call without arguments has no size."""
    source = MemoryDestination()
    await source.write(make_call("add", entry_id="f00d", input_size=size))
    request = (await ask_json(app_of(source), "/api/entries/f00d"))["json_rpc"]
    assert (request is None) == (size is not None)


@pytest.mark.parametrize("word", ["a/b", "..", "%2F", "?", "a b", "\u00e9"])
async def test_an_id_may_have_any_characters(word: str) -> None:
    """Clients choose correlation ids."""
    source = MemoryDestination()
    await source.write(make_call(correlation_id=word))
    path = with_parameters("", x=word).removeprefix("?x=")
    assert (await ask_json(app_of(source), f"/api/entries/{path}"))["call"]["correlation_id"] == word


@every_source
async def test_an_unknown_id_is_not_found_and_an_ambiguous_one_is_refused(source: LogDestination) -> None:
    """The sentence lists what it may be."""
    await source.write_batch([make_call(entry_id=f"abc{number}", correlation_id=f"x{number}") for number in range(2)])
    unknown = await ask(app_of(source), "/api/entries/nothing")
    assert unknown.status == 404
    assert unknown.json()["error"] == f"No entry id or correlation id in {source.name} begins or ends with 'nothing'."
    ambiguous = await ask(app_of(source), "/api/entries/abc")
    assert ambiguous.status == 400
    assert "abc0" in ambiguous.json()["error"]


@local_source
@pytest.mark.parametrize("by", GROUPS)
async def test_statistics_are_those_of_the_terminal(source: LogDestination, by: str) -> None:
    """With the sizes of results."""
    await source.write_batch([*CALLS, *ENTRIES[2:]])
    answer = await ask_json(app_of(source), "/api/stats", by=by)
    assert answer == {"groups": [asdict(group) for group in stats_of(CALLS, by=by)], "is_complete": True}
    filtered = await ask_json(app_of(source), "/api/stats", by=by, q="tool:add since:2h")
    assert [group["output_total"] for group in filtered["groups"]] == [10]


@every_source
async def test_a_histogram_begins_where_the_filter_says(source: LogDestination) -> None:
    """It counts calls and failures in buckets of equal length, up to now."""
    await source.write_batch(CALLS)
    found = await ask_json(app_of(source), "/api/histogram", q="since:10m", buckets=2)
    assert (found["calls"], found["failures"], found["is_complete"]) == ([1, 1], [1, 0], True)
    assert found["seconds"] == pytest.approx(300, abs=2)
    assert datetime.fromisoformat(found["until"]) > NOW
    fixed = f"since:{ago(hours=40).isoformat()} until:{ago(hours=20).isoformat()}"
    found = await ask_json(app_of(source), "/api/histogram", q=fixed, buckets=4)
    assert (found["calls"], found["seconds"]) == ([0, 0, 1, 0], 18_000)


@every_source
async def test_a_histogram_without_a_period_begins_with_the_oldest_entry(source: LogDestination) -> None:
    """At the round time before it, or a day ago if the destination cannot find it, or has none."""
    day = timedelta(days=1)
    empty = await ask_json(app_of(source), "/api/histogram")
    assert datetime.fromisoformat(empty["until"]) - datetime.fromisoformat(empty["since"]) == day
    assert sum(empty["calls"]) == 0
    await source.write_batch(CALLS)
    found = await ask_json(app_of(source), "/api/histogram")
    if await source.oldest() is None:
        assert sum(found["calls"]) == 2
    else:
        since, until = map(datetime.fromisoformat, (found["since"], found["until"]))
        assert timedelta(0) <= CALLS[-1].timestamp - since < timedelta(seconds=found["seconds"]) == timedelta(hours=1)
        assert (until - since) / len(found["calls"]) == timedelta(hours=1)
        assert since.minute == since.second == since.microsecond == 0
        assert found["calls"][0] == 1
        assert sum(found["calls"]) == 3


async def test_a_histogram_of_the_first_day_of_the_calendar_begins_with_it() -> None:
    """The calendar has no earlier round time."""
    source = OldestDestination()
    await source.write(make_call(timestamp=datetime(1, 1, 1, tzinfo=UTC)))
    found = await ask_json(app_of(source), "/api/histogram")
    assert found["since"].startswith("0001-01-01")
    assert found["calls"][0] == 1


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/api/entries?q=tol:echo", "unknown word 'tol'"),
        ("/api/entries?limit=0", f"limit must be between 1 and {MAX_PAGE_SIZE}, not '0'"),
        (f"/api/entries?limit={MAX_PAGE_SIZE + 1}", "limit must be between"),
        ("/api/entries?limit=x", "limit must be between"),
        ("/api/entries?before=x", "before is 'x', which is not the `next` of another page"),
        ("/api/entries?seconds=0", "seconds must be between 1 and 60, not '0'"),
        ("/api/stats?by=colour", "by must be one of tool, client, principal, "),
        ("/api/stats?q=level:loud", "level: must be one of"),
        ("/api/histogram?buckets=0", f"buckets must be between 1 and {MAX_BUCKETS}, not '0'"),
        ("/api/histogram?q=since:1h%20until:2h", "until must be later than since"),
        ("/api/export?format=xml", "format must be one of jsonl, csv, not 'xml'"),
        ("/api/export?q=status:err", "status: must be one of"),
        ("/api/stream?q=min-ms:x", "min-ms: must be a number"),
        ("/api/destinations/nowhere", "the destination must be one of "),
        ("/api/entries?q=id:%22%22", "The filter any_id is ''"),
    ],
)
async def test_invalid_input_is_named(path: str, sentence: str) -> None:
    """One sentence, with the value and what is valid."""
    answer = await ask(app_of(), path)
    assert answer.status == 400
    assert sentence in answer.json()["error"]


@pytest.mark.parametrize("path", ["entries", "entries?seconds=1", "entries/x", "stats", "histogram", "export"])
async def test_a_destination_that_cannot_be_read_is_named(path: str) -> None:
    """The sentence says why; an export is an error as well, and not an empty file."""
    source = BrokenDestination()
    source.error = ConnectionRefusedError("no route")
    answer = await ask(app_of(source), f"/api/{path}")
    assert answer.status == 503
    assert answer.json()["error"].startswith("broken cannot be read: ")
    assert "Traceback" not in answer.json()["error"]


async def test_partial_counts_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A destination that only has `query` counts the newest calls."""
    source = MemoryDestination()
    await source.write_batch([make_call(timestamp=NOON + timedelta(seconds=n)) for n in range(MAX_LIMIT)])
    since = f"since:{NOON.isoformat()}"
    assert (await ask_json(app_of(source), "/api/stats", q=since))["is_complete"] is False
    assert (await ask_json(app_of(source), "/api/histogram", q=since))["is_complete"] is False


@pytest.mark.parametrize("path", ["entries?q=x", "entries?q=x&seconds=60", "entries/x", "stats", "histogram", "export"])
async def test_a_query_ends_when_the_client_leaves(path: str) -> None:
    """The page leaves when its filter changes, and a search may take long."""
    source = SilentDestination()
    asking = visit(app_of(source), f"/api/{path}")
    await eventually(lambda: source.is_asked)
    asking.leave()
    await asking.end()
    assert source.is_cancelled


async def test_a_query_ends_when_the_server_ends() -> None:
    """The web server cancels what is left."""
    source = SilentDestination()
    asking = visit(app_of(source), "/api/entries")
    await eventually(lambda: source.is_asked)
    asking._task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking._task
    assert source.is_cancelled


async def test_values_that_json_readers_refuse_are_readable() -> None:
    """A destination may return whatever another program stored."""
    source = MemoryDestination()
    values: dict[str, Any] = {"big": 2**70, "nan": float("nan"), "lone": "\ud800"}
    await source.write(make_call(entry_id="odd", input_args=values, timestamp=datetime(1, 1, 1, tzinfo=UTC)))
    call = (await ask_json(app_of(source), "/api/entries/odd"))["call"]
    assert set(call["input_args"]) == set(values)
    assert len((await ask_json(app_of(source), "/api/entries"))["entries"]) == 1
