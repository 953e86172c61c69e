"""Deletion of old rows from the SQLite file, by age and by size."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging import throttle
from {{cookiecutter.project_slug}}.logging.destinations import SQLiteDestination
from {{cookiecutter.project_slug}}.logging.destinations.sqlite import schema

from .sqlite_helpers import alter, fetch, messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from {{cookiecutter.project_slug}}.logging.entry import LogEntry

OLD = datetime(2026, 1, 1, tzinfo=UTC)
MEGABYTE = 1_000_000


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return a function that sets the clock of the intervals, in minutes."""
    clock = SimpleNamespace(monotonic=lambda: 0.0)
    monkeypatch.setattr(throttle, "time", clock)

    def set_clock(minutes: float) -> None:
        clock.monotonic = lambda: minutes * 60.0

    return set_clock


def make_batch(start: int, count: int = 100, *, size: int = 1_000, timestamp: datetime | None = None) -> list[LogEntry]:
    """Return entries whose messages are numbers, padded to a size."""
    moment = timestamp or datetime.now(UTC)
    return [make_entry(f"{number}".rjust(size), timestamp=moment) for number in range(start, start + count)]


def numbers(path: Path) -> list[int]:
    """Return the numbers in the table, oldest row first."""
    return list(map(int, messages(path)))


def file_size(path: Path) -> int:
    """Return the bytes of the file, as soon as what is in the write-ahead log has reached it."""
    ((pages, size),) = fetch(path, "SELECT page_count, page_size FROM pragma_page_count, pragma_page_size")
    return pages * size


@pytest.mark.parametrize(("days", "kept"), [(2, ["new"]), (0, ["old"] * 12_000 + ["new"])])
async def test_rows_past_retention_are_deleted(path: Path, days: int, kept: list[str]) -> None:
    """They are deleted in chunks, by the time of the event; 0 days keep all rows."""
    writer = SQLiteDestination(path)
    old = datetime.now(UTC) - timedelta(days=3)
    await writer.write_batch([make_entry("old", timestamp=old) for _ in range(12_000)])
    await writer.close()
    expiring = SQLiteDestination(path, retention_days=days)
    await expiring.write(make_entry("new"))
    for _ in range(12_000 // schema.EXPIRED_CHUNK):
        await expiring.write_batch([])
    await expiring.close()
    assert messages(path) == kept


async def test_retention_runs_once_an_hour(path: Path, at: Callable[[float], None]) -> None:
    """It runs neither with each batch nor only at the start."""
    destination = SQLiteDestination(path, retention_days=1)
    kept = []
    for minutes in (0, 1, 59, 60, 61, 120):
        at(minutes)
        await destination.write(make_entry(f"{minutes}", timestamp=OLD))
        kept.append(messages(path))
    await destination.close()
    assert kept == [[], ["1"], ["1", "59"], [], ["61"], []]


async def test_a_file_does_not_outgrow_its_limit(path: Path) -> None:
    """The oldest entries are deleted as new ones arrive, and no more than necessary."""
    config = ServerConfig(sqlite_path=path, sqlite_max_mb=1, log_retention_days=0)
    destination = SQLiteDestination.from_config(config)
    sizes = []
    for start in range(0, 5_000, 100):
        await destination.write_batch(make_batch(start))
        sizes.append(file_size(path))
    await destination.close()
    kept = numbers(path)
    assert max(sizes) < 1.3 * MEGABYTE
    assert kept == list(range(5_000 - len(kept), 5_000))
    assert len(kept) > 500


async def test_entries_above_the_limit_are_deleted_by_the_time_of_the_event(path: Path) -> None:
    """An entry that arrives late is not a new one."""
    destination = SQLiteDestination(path, max_mb=1)
    await destination.write_batch(make_batch(0, 150, size=3_000))
    await destination.write_batch(make_batch(150, 100, size=3_000, timestamp=OLD))
    await destination.close()
    assert numbers(path) == list(range(150))


async def test_a_lower_limit_deletes_only_what_is_above_it(path: Path) -> None:
    """The space of deleted rows, which stays in the file, does not count."""
    unlimited = SQLiteDestination(path)
    await unlimited.write_batch(make_batch(0, 3_000))
    await unlimited.close()
    destination = SQLiteDestination(path, max_mb=1)
    await destination.write_batch(make_batch(3_000, 1))
    kept = numbers(path)
    for _ in range(10):
        await destination.write_batch([])
    await destination.close()
    assert numbers(path) == kept == list(range(3_001 - len(kept), 3_001))
    assert len(kept) > 500
    assert file_size(path) > 3 * MEGABYTE


async def test_deletions_of_the_oldest_entries_are_reported_once_an_hour(
    path: Path, at: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """The line says how many entries were deleted so far."""
    destination = SQLiteDestination(path, max_mb=1)
    counts = []
    for minutes in (0, 1, 59, 61, 62):
        at(minutes)
        await destination.write_batch(make_batch(0, 2_000))
        counts.append(2_000 * (len(counts) + 1) - len(messages(path)))
    await destination.close()
    reported = f"{path} reached SQLITE_MAX_MB=1: its oldest entries are deleted (%d so far)"
    assert caplog.messages == [reported % counts[0], reported % counts[3]]


@pytest.mark.parametrize("limits", [{"retention_days": 1}, {"max_mb": 1}], ids=["age", "size"])
async def test_a_failing_deletion_does_not_fail_delivery(
    path: Path, limits: dict[str, int], caplog: pytest.LogCaptureFixture
) -> None:
    """Rows that cannot be deleted stay, the failure is logged once, and the new rows are stored."""
    destination = SQLiteDestination(path, **limits)
    await destination.open()
    alter(path, "CREATE TRIGGER keep BEFORE DELETE ON unified_logs BEGIN SELECT RAISE(ABORT, 'kept'); END")
    for start in (0, 500, 1_000):
        await destination.write_batch(make_batch(start, 500, timestamp=OLD))
    await destination.close()
    assert numbers(path) == list(range(1_500))
    assert caplog.messages == [f"Old rows of {path} cannot be deleted: kept"]
