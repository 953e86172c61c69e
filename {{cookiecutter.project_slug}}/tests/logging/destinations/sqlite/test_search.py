"""Queries on the SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from helpers import ARGUMENTS, SEARCHES, eventually, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import SQLiteDestination
from {{cookiecutter.project_slug}}.logging.destinations.sqlite import reader
from {{cookiecutter.project_slug}}.logging.destinations.sqlite.search import select
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.histogram import Period
from {{cookiecutter.project_slug}}.logging.query import LogQuery

from .sqlite_helpers import alter, explain

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_text_filter_searches_argument_values(path: Path) -> None:
    """It ignores case, argument names, and JSON escapes and punctuation."""
    destination = SQLiteDestination(path)
    await destination.write(make_entry("entry", input_args=ARGUMENTS))
    found = {text: len(await destination.query(text=text)) for text in SEARCHES}
    await destination.close()
    assert found == SEARCHES


async def test_a_row_of_another_program_does_not_break_queries(path: Path) -> None:
    """Missing values are empty, and a time without a zone is UTC."""
    destination = SQLiteDestination(path)
    await destination.write(make_entry("ours"))
    alter(path, "INSERT INTO unified_logs (timestamp, entry_id) VALUES ('2999-01-01 00:00', 'theirs')")
    theirs, ours = await destination.query()
    await destination.close()
    assert (theirs.entry_id, theirs.message, theirs.timestamp) == ("theirs", "", datetime(2999, 1, 1, tzinfo=UTC))
    assert ours.message == "ours"


async def test_a_search_for_an_id_reads_only_indexes(path: Path) -> None:
    """Rows are read only where an id begins or ends with the text, so that large files stay quick."""
    destination = SQLiteDestination(path)
    await destination.open()
    await destination.close()
    plan = explain(path, *select(LogQuery.of(any_id="0a1b"), FIELD_NAMES))
    assert "SCAN unified_logs USING COVERING INDEX unified_logs_entry" in plan
    assert "SCAN unified_logs USING COVERING INDEX unified_logs_correlation" in plan
    assert "SEARCH unified_logs USING INTEGER PRIMARY KEY (rowid=?)" in plan
    assert "SCAN unified_logs" not in plan


async def test_a_cancelled_query_stops_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reader left. The connection is closed only after the statement, which may take long."""
    asked: list[str] = []

    def slowly(*_: object) -> bool:
        asked.append("row")
        time.sleep(0.01)
        return False

    monkeypatch.setattr(reader, "matches", slowly)
    destination = SQLiteDestination(path)
    await destination.write_batch([make_entry() for _ in range(2_000)])
    query = asyncio.create_task(destination.query(text="x"))
    await eventually(lambda: asked)
    query.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await query
    assert time.monotonic() - began < 2
    assert len(asked) < 300
    await destination.close()


async def test_reading_changes_nothing(path: Path) -> None:
    """It creates no file, and its connection is read-only."""
    destination = SQLiteDestination(path)
    period = Period(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 2, 1, tzinfo=UTC), buckets=2)
    assert (await destination.query(), await destination.oldest()) == ([], None)
    assert ((await destination.stats()).groups, (await destination.contents()).entries) == ([], 0)
    assert (await destination.histogram(period)).calls == [0, 0]
    assert path not in path.parent.iterdir()
    await destination.write(make_entry())
    async with reader._transaction(path) as (connection, _):
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await connection.execute("DELETE FROM unified_logs")
    await destination.close()
