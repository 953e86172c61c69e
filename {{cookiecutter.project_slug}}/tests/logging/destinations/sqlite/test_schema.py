"""The table in the SQLite file: whose it is, and what leaves it."""

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
from {{cookiecutter.project_slug}}.logging.destinations.sqlite import destination
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file is to be."""
    return tmp_path / "logs.db"


def messages(path: Path) -> list[str]:
    """Return what is in the table, oldest first."""
    with closing(sqlite3.connect(path)) as connection:
        return [message for (message,) in connection.execute("SELECT message FROM unified_logs ORDER BY id")]


def alter(path: Path, statements: str) -> None:
    """Do something to the file that another program might do."""
    sqlite3.connect(path).executescript(statements).connection.close()


@pytest.mark.parametrize(("days", "kept"), [(2, ["new"]), (0, ["old"] * 12_000 + ["new"])])
async def test_what_is_past_retention_is_removed(path: Path, days: int, kept: list[str]) -> None:
    """In chunks, by the time of the event; 0 days keep everything."""
    writer = SQLiteDestination(path)
    old = datetime.now(UTC) - timedelta(days=3)
    await writer.write_batch([make_entry("old", timestamp=old) for _ in range(12_000)])
    await writer.close()
    expiring = SQLiteDestination(path, retention_days=days)
    await expiring.write(make_entry("new"))
    for _ in range(12_000 // destination.RETENTION_CHUNK):
        await expiring.write_batch([])
    await expiring.close()
    assert messages(path) == kept


async def test_retention_runs_once_an_hour(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for each batch, and not only at the start."""
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
    f"{destination._SCHEMA[0]}; PRAGMA user_version = 99": "has schema 99, this project writes 1",
    "CREATE TABLE notes (text)": "is a database of something else, with the table notes",
    "CREATE TABLE notes (text); PRAGMA user_version = 1": "is a database of something else, with the table notes",
}


@pytest.mark.parametrize(("statements", "reason"), NOT_OURS.items())
async def test_a_file_that_is_not_ours_is_refused(path: Path, statements: str, reason: str) -> None:
    """In one sentence that names the file, each time; nothing in it is changed."""
    alter(path, statements)
    content = path.read_bytes()  # noqa: ASYNC240 - as in all tests
    destination = SQLiteDestination(path)
    for work in (destination.open, partial(destination.write, make_entry()), partial(destination.write, make_entry())):
        with pytest.raises(DeliveryError, match=rf"logs\.db {reason}"):
            await work()
    assert path.read_bytes() == content  # noqa: ASYNC240


async def test_a_table_that_was_dropped_is_made_again(path: Path) -> None:
    """Who clears the log that way loses what was in it, and nothing else; a table beside ours disturbs nobody."""
    destination = SQLiteDestination(path)
    await destination.write(make_entry("cleared"))
    alter(path, "DROP TABLE unified_logs")
    await RetryWrapper(destination).write(make_entry("kept"))
    alter(path, "CREATE TABLE notes (text)")
    await destination.open()
    await destination.close()
    assert messages(path) == ["kept"]


async def test_the_values_of_arguments_can_be_searched(path: Path) -> None:
    """As they were given, and not as JSON writes them; names and punctuation do not count, nor does the case."""
    destination = SQLiteDestination(path)
    await destination.write(make_entry("entry", input_args=ARGUMENTS))
    found = {text: len(await destination.query(text=text)) for text in SEARCHES}
    await destination.close()
    assert found == SEARCHES


async def test_a_row_of_somebody_else_ends_no_query(path: Path) -> None:
    """What it lacks is empty, and its time is UTC unless it says otherwise."""
    destination = SQLiteDestination(path)
    await destination.write(make_entry("ours"))
    alter(path, "INSERT INTO unified_logs (timestamp, entry_id) VALUES ('2999-01-01 00:00', 'theirs')")
    theirs, ours = await destination.query()
    await destination.close()
    assert (theirs.entry_id, theirs.message, theirs.timestamp) == ("theirs", "", datetime(2999, 1, 1, tzinfo=UTC))
    assert ours.message == "ours"


async def test_a_retention_that_fails_fails_no_delivery(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Rows that may not be deleted stay, and that is said; what was written is written."""
    destination = SQLiteDestination(path, retention_days=1)
    await destination.open()
    alter(path, "CREATE TRIGGER keep BEFORE DELETE ON unified_logs BEGIN SELECT RAISE(ABORT, 'kept'); END")
    for message in ("old", "new"):
        await destination.write(make_entry(message, timestamp=datetime(2026, 1, 1, tzinfo=UTC)))
    await destination.close()
    assert messages(path) == ["old", "new"]
    assert "are not deleted: kept" in caplog.text
