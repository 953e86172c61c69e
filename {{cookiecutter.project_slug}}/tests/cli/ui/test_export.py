"""Downloads: everything that is filtered, as JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
import logging
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import MemoryDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES

from ..cli_helpers import NOON, make_call
from .ui_helpers import BrokenDestination, app_of, ask, every_source, with_parameters

if TYPE_CHECKING:
    from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination, LogEntry

PAGE = 1_000
"""Entries that are read at once."""


async def rows_of(source: LogDestination, **parameters: object) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    answer = await ask(app_of(source), with_parameters("/api/export", format="csv", **parameters))
    return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))


async def lines_of(source: LogDestination, **parameters: object) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines."""
    answer = await ask(app_of(source), with_parameters("/api/export", **parameters))
    return [json.loads(line) for line in answer.body.splitlines()]


@every_source
@pytest.mark.parametrize(
    ("form", "media_type"), [("jsonl", "application/x-ndjson"), ("csv", "text/csv; charset=utf-8")]
)
async def test_an_empty_file_is_valid(source: LogDestination, form: str, media_type: str) -> None:
    """CSV has its header; both are downloads with a name."""
    answer = await ask(app_of(source), f"/api/export?format={form}")
    assert (answer.status, answer.header("content-type"), answer.is_whole) == (200, media_type, True)
    assert answer.header("content-disposition") == f'attachment; filename="calls.{form}"'
    assert answer.body.decode() == ("" if form == "jsonl" else f"{','.join(FIELD_NAMES)}\r\n")


@every_source
async def test_json_lines_hold_the_whole_entries(source: LogDestination) -> None:
    """Newest first, and only those that match."""
    calls = [make_call("add", timestamp=NOON - timedelta(hours=n), input_args={"n": [n]}) for n in range(5)]
    await source.write_batch([*calls, make_call("other"), make_entry("line")])
    assert await lines_of(source, q="tool:add") == [call.to_dict() for call in calls]
    assert len(await lines_of(source, q="type:any")) == 7


@every_source
async def test_csv_has_a_column_for_each_field(source: LogDestination) -> None:
    """What is unknown is empty; objects are JSON; texts may have commas, quotes and lines."""
    text = 'a, "b"\nand c'
    await source.write_batch([make_call(error_message=text, input_args={"a": [1, None]}, duration_ms=1.5, line=7)])
    (row,) = await rows_of(source)
    assert tuple(row) == FIELD_NAMES
    assert (row["error_message"], row["input_args"], row["duration_ms"]) == (text, '{"a":[1,null]}', "1.5")
    assert (row["line"], row["principal"]) == ("7", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
async def test_a_spreadsheet_runs_no_cell(start: str) -> None:
    """A text that looks like a formula gets an apostrophe, in whichever field a client wrote it."""
    text = f"{start}cmd|' /C calc'!A0"
    names = ["correlation_id", "message", "tool_name", "client_name", "principal", "error_message", "request_id"]
    source = MemoryDestination()
    await source.write(make_entry(**{**dict.fromkeys(names, text), "log_type": "tool_execution"}))
    (row,) = await rows_of(source)
    assert {row[name] for name in names} == {f"'{text}"}
    assert [cell for cell in row.values() if cell.startswith(start)] == []


async def test_numbers_stay_numbers() -> None:
    """Also negative ones, in the fields that hold numbers; the same text in another field is a text."""
    source = MemoryDestination()
    await source.write(make_call(duration_ms=-1.5, line=-2, input_size=0, request_id="-2", extra_data={"n": -1}))
    (row,) = await rows_of(source)
    assert (row["duration_ms"], row["line"], row["input_size"], row["request_id"]) == ("-1.5", "-2", "0", "'-2")
    assert row["extra_data"] == '{"n":-1}'


@every_source
@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_every_entry_is_in_the_file_once(source: LogDestination, form: str) -> None:
    """Across pages, whose ends may be between entries of the same time."""
    chance = random.Random(13)
    times = [NOON + timedelta(microseconds=chance.randrange(5)) for _ in range(3 * PAGE + 7)]
    await source.write_batch([make_call(target=str(n), timestamp=moment) for n, moment in enumerate(times)])
    rows = await (rows_of(source) if form == "csv" else lines_of(source))
    assert sorted(int(row["target"]) for row in rows) == list(range(len(times)))


class Endless(BrokenDestination):
    """Have as many calls as anybody reads; raise at the page `last`."""

    def __init__(self, *, last: int) -> None:
        super().__init__()
        self.last = last
        self.largest = 0

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return a page."""
        self.queries += 1
        self.largest = max(self.largest, filters["limit"])
        if self.queries > self.last:
            raise self.error or AssertionError
        moment = filters.get("until", NOON)
        return [make_call(timestamp=moment - timedelta(seconds=n + 1)) for n in range(filters["limit"])]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
async def test_a_destination_that_fails_in_the_middle_breaks_the_file_off(
    form: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no complete file for the browser. The pages before were sent; a sentence says why, without a traceback."""
    source = Endless(last=5)
    source.error = ConnectionResetError("gone")
    with caplog.at_level(logging.ERROR):
        answer = await ask(app_of(source), f"/api/export?format={form}")
    assert (answer.status, answer.is_whole) == (200, False)
    assert answer.body.count(b"\n") - (form == "csv") == 5 * PAGE
    (record,) = caplog.records
    assert record.getMessage().startswith("/api/export was not sent to its end: broken cannot be read: ")
    assert record.exc_info is None


async def test_a_file_is_sent_page_by_page() -> None:
    """Only one page of it is in memory."""
    source = Endless(last=20)
    source.error = ConnectionResetError("gone")
    answer = await ask(app_of(source), "/api/export")
    assert (answer.pieces, source.largest) == (20, PAGE)


async def test_the_head_of_a_file_is_asked_for_without_reading_it() -> None:
    """It has the name and the type."""
    source = Endless(last=1)
    head = await ask(app_of(source), "/api/export?format=csv", "HEAD")
    assert (head.status, head.body, head.header("content-type")) == (200, b"", "text/csv; charset=utf-8")
