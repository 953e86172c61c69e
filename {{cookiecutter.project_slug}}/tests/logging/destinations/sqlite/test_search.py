"""Queries on the SQLite file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from helpers import ARGUMENTS, SEARCHES, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import SQLiteDestination
from {{cookiecutter.project_slug}}.logging.destinations.sqlite.search import select
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
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
