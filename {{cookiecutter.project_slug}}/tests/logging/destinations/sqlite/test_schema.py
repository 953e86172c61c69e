"""The table in the SQLite file: whose file it is, and files of older projects."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations import RetryWrapper, SQLiteDestination
from {{cookiecutter.project_slug}}.logging.destinations.sqlite import schema
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

from .sqlite_helpers import alter, columns, fetch, messages

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_1 = """
CREATE TABLE IF NOT EXISTS unified_logs (
    id INTEGER PRIMARY KEY, correlation_id TEXT, timestamp TEXT NOT NULL, level TEXT, log_type TEXT, message TEXT,
    tool_name TEXT, duration_ms REAL, status TEXT, input_args TEXT, output_summary TEXT, error_message TEXT,
    module TEXT, function TEXT, line INTEGER, thread_name TEXT, process_id INTEGER, extra_data TEXT, entry_id TEXT,
    server_name TEXT, server_version TEXT, transport TEXT, client_name TEXT, client_version TEXT,
    protocol_version TEXT, request_id TEXT, principal TEXT, error_type TEXT, trace_id TEXT, span_id TEXT, hostname TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS unified_logs_entry ON unified_logs (entry_id);
CREATE INDEX IF NOT EXISTS unified_logs_time ON unified_logs (timestamp);
CREATE INDEX IF NOT EXISTS unified_logs_correlation ON unified_logs (correlation_id);
CREATE INDEX IF NOT EXISTS unified_logs_tool ON unified_logs (tool_name, timestamp) WHERE tool_name IS NOT NULL;
CREATE INDEX IF NOT EXISTS unified_logs_level ON unified_logs (level, timestamp);
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
"""
"""The statements with which projects of the first schema create the file."""
INSERT_1 = """
INSERT OR IGNORE INTO unified_logs (
    correlation_id, timestamp, level, log_type, message, tool_name, duration_ms, status, input_args, output_summary,
    error_message, module, function, line, thread_name, process_id, extra_data, entry_id, server_name, server_version,
    transport, client_name, client_version, protocol_version, request_id, principal, error_type, trace_id, span_id,
    hostname
) VALUES (
    'c', '2026-01-02T03:04:05.000006+00:00', 'ERROR', 'tool_execution', 'MESSAGE', 'tool', 12.5, 'error', '{"a":1}',
    NULL, 'reason', 'module', 'function', 42, 'MainThread', 7, NULL, 'MESSAGE', 's', '1.0',
    'stdio', 'client', '2', '2025-06-18', '7', 'p', 'ValueError', NULL, NULL, 'h'
);
"""
"""The statement with which they insert a row; MESSAGE is its message and its entry id."""


@pytest.fixture
def old_path(path: Path) -> Path:
    """Return the path of a file of the first schema, with one row."""
    alter(path, SCHEMA_1)
    insert_as_schema_1(path, "old")
    return path


def insert_as_schema_1(path: Path, message: str) -> None:
    """Insert a row as a project of the first schema does."""
    alter(path, INSERT_1.replace("MESSAGE", message))


NEW = make_entry(
    "new",
    method="tools/call",
    target="tool",
    client_address="::1",
    parent_span_id="00f067aa0ba902b7",
    input_size=2**40,
    output_size=1,
    traceback="Traceback",
)
NOT_OURS = {
    f"{schema.CREATE[0]}; PRAGMA user_version = 99": "has schema version 99, but this project writes version 1",
    "CREATE TABLE notes (text)": "is a database of another program, with the table notes",
    "CREATE TABLE notes (text); PRAGMA user_version = 1": "is a database of another program, with the table notes",
}


@pytest.mark.parametrize(("statements", "reason"), NOT_OURS.items())
async def test_the_file_of_another_program_is_rejected(path: Path, statements: str, reason: str) -> None:
    """Each attempt raises one sentence that names the file; the file is not changed."""
    alter(path, statements)
    content = path.read_bytes()  # noqa: ASYNC240 - as in all tests
    destination = SQLiteDestination(path)
    for work in (destination.open, partial(destination.write, make_entry()), partial(destination.write, make_entry())):
        with pytest.raises(DeliveryError, match=rf"logs\.db {reason}"):
            await work()
    assert path.read_bytes() == content  # noqa: ASYNC240


async def test_a_dropped_table_is_created_again(path: Path) -> None:
    """Only the dropped rows are lost; a table of another program beside it does no harm."""
    destination = SQLiteDestination(path)
    await destination.write(make_entry("cleared"))
    alter(path, "DROP TABLE unified_logs")
    await RetryWrapper(destination).write(make_entry("kept"))
    alter(path, "CREATE TABLE notes (text)")
    await destination.open()
    await destination.close()
    assert messages(path) == ["kept"]


def test_no_statement_exceeds_the_lowest_limit_on_parameters() -> None:
    """Older builds of SQLite accept 999."""
    assert 900 < schema.INSERT_ROWS.count("?") <= 999


async def test_a_file_of_the_first_schema_is_read_unchanged(old_path: Path) -> None:
    """Fields without a column are empty, and a filter on them matches nothing; no column is added."""
    before = columns(old_path)
    destination = SQLiteDestination(old_path)
    (old,) = await destination.query(text="REASON", any_id="old", slowest=True)
    assert (old.message, old.timestamp) == ("old", datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC))
    assert (old.input_args, old.duration_ms, old.line, old.hostname) == ({"a": 1}, 12.5, 42, "h")
    assert (old.method, old.traceback, old.output_size) == (None, None, None)
    assert await destination.query(method="tools/call") == []
    (group,) = (await destination.stats(by="client")).groups
    assert (group.group, group.calls, group.failures, group.p99_ms) == ("client", 1, 1, 12.5)
    assert group.output_size is None
    assert columns(old_path) == before
    assert len(before) == 31


@pytest.mark.parametrize("added", ["", "ALTER TABLE unified_logs ADD COLUMN target TEXT"], ids=["none", "one"])
async def test_a_file_of_the_first_schema_is_written_on(old_path: Path, added: str) -> None:
    """Missing columns are added, whichever they are; the old rows stay, and older projects insert theirs as before."""
    alter(old_path, added)
    destination = SQLiteDestination(old_path)
    await destination.write(NEW)
    insert_as_schema_1(old_path, "older project")
    await destination.write(make_entry("last"))
    assert messages(old_path) == ["old", "new", "older project", "last"]
    assert await destination.query(method="tools/call") == [NEW]
    await destination.close()
    assert sorted(columns(old_path)) == sorted(["id", *FIELD_NAMES])
    assert fetch(old_path, "PRAGMA user_version") == [1]


async def test_several_processes_may_add_the_columns_at_the_same_time(old_path: Path) -> None:
    """Each of them opens the file without an error and writes to it."""
    destinations = [SQLiteDestination(old_path) for _ in range(4)]
    await asyncio.gather(*(destination.open() for destination in destinations))
    for number, destination in enumerate(destinations):
        await destination.write(make_entry(str(number), traceback="t"))
        await destination.close()
    assert messages(old_path) == ["old", "0", "1", "2", "3"]
    assert fetch(old_path, "SELECT count(*) FROM unified_logs WHERE traceback = 't'") == [4]


async def test_columns_are_added_to_a_table_that_an_older_project_created_meanwhile(path: Path) -> None:
    """The write that finds the older table fails; the next attempt adds the columns."""
    destination = SQLiteDestination(path)
    await destination.write(make_entry("dropped"))
    alter(path, f"DROP TABLE unified_logs; {SCHEMA_1}")
    await RetryWrapper(destination).write(NEW)
    assert await destination.query() == [NEW]
    await destination.close()
