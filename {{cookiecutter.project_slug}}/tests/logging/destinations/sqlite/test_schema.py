"""The table in the SQLite file: ownership, retention and queries."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from helpers import ARGUMENTS, SEARCHES, make_entry

from {{cookiecutter.project_slug}}.logging import throttle
from {{cookiecutter.project_slug}}.logging.destinations import RetryWrapper, SQLiteDestination
from {{cookiecutter.project_slug}}.logging.destinations.sqlite import schema
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the file."""
    return tmp_path / "logs.db"


def messages(path: Path) -> list[str]:
    """Return the messages in the table, oldest first."""
    with closing(sqlite3.connect(path)) as connection:
        return [message for (message,) in connection.execute("SELECT message FROM unified_logs ORDER BY id")]


def alter(path: Path, statements: str) -> None:
    """Run SQL statements on the file, as another program might."""
    sqlite3.connect(path).executescript(statements).connection.close()


@pytest.mark.parametrize(("days", "kept"), [(2, ["new"]), (0, ["old"] * 12_000 + ["new"])])
async def test_rows_past_retention_are_deleted(path: Path, days: int, kept: list[str]) -> None:
    """They are deleted in chunks, by the time of the event; 0 days keep all rows."""
    writer = SQLiteDestination(path)
    old = datetime.now(UTC) - timedelta(days=3)
    await writer.write_batch([make_entry("old", timestamp=old) for _ in range(12_000)])
    await writer.close()
    expiring = SQLiteDestination(path, retention_days=days)
    await expiring.write(make_entry("new"))
    for _ in range(12_000 // schema.RETENTION_CHUNK):
        await expiring.write_batch([])
    await expiring.close()
    assert messages(path) == kept


async def test_retention_runs_once_an_hour(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs neither with each batch nor only at the start."""
    now = 0.0
    monkeypatch.setattr(throttle, "time", SimpleNamespace(monotonic=lambda: now))
    destination = SQLiteDestination(path, retention_days=1)
    kept = []
    for minutes in (0, 1, 59, 60, 61, 120):
        now = minutes * 60.0
        await destination.write(make_entry(f"{minutes}", timestamp=datetime(2026, 1, 1, tzinfo=UTC)))
        kept.append(messages(path))
    await destination.close()
    assert kept == [[], ["1"], ["1", "59"], [], ["61"], []]


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


async def test_a_failing_deletion_does_not_fail_delivery(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Rows that cannot be deleted stay, the failure is logged, and the new rows are stored."""
    destination = SQLiteDestination(path, retention_days=1)
    await destination.open()
    alter(path, "CREATE TRIGGER keep BEFORE DELETE ON unified_logs BEGIN SELECT RAISE(ABORT, 'kept'); END")
    for message in ("old", "new"):
        await destination.write(make_entry(message, timestamp=datetime(2026, 1, 1, tzinfo=UTC)))
    await destination.close()
    assert messages(path) == ["old", "new"]
    assert "cannot be deleted: kept" in caplog.text
