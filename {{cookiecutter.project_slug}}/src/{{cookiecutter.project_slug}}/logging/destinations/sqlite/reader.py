"""Read the SQLite file over a read-only connection, without blocking writers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...entry import LogEntry
from ...forks import hold_off_forks
from ...query import LogQuery
from ...stats import Group, GroupStats
from ..driver import translated_errors
from .encoding import entry_of
from .errors import explain, file_exists, require_writable_folder
from .schema import LIST_COLUMNS
from .search import matches, select
from .stats import Total, durations_at, groups_of, ranks_of, totals

if TYPE_CHECKING:
    import aiosqlite

BUSY_TIMEOUT = 0.5  # seconds that SQLite waits for a lock; short, because the buffer retries


async def read_entries(path: Path, query: LogQuery) -> list[LogEntry]:
    """Return the matching entries."""
    async with _transaction(path) as (connection, columns):
        if not columns:
            return []
        return [entry_of(row) for row in await connection.execute_fetchall(*select(query, columns))]


async def read_stats(path: Path, query: LogQuery, *, by: Group) -> list[GroupStats]:
    """Return the statistics of the matching entries: totals in one statement, percentiles in another."""
    async with _transaction(path) as (connection, columns):
        if not columns:
            return []
        rows = [Total(*row) for row in await connection.execute_fetchall(*totals(query, columns, by=by))]
        ranks = ranks_of(rows)
        durations = await connection.execute_fetchall(*durations_at(ranks, query, columns, by=by))
        return groups_of(rows, ranks, dict(map(tuple, durations)))


@asynccontextmanager
async def _transaction(path: Path) -> AsyncIterator[tuple[aiosqlite.Connection, set[str]]]:
    """Open a file for reading; yield the connection and the columns of the table, none if there is no file or table.

    Raise DeliveryError if the file cannot be used.
    """
    import aiosqlite  # noqa: PLC0415

    with hold_off_forks(), translated_errors(partial(explain, path)):
        if file_exists(path):
            address = f"{path.as_uri()}?mode=ro"
        else:
            require_writable_folder(path)
            address = "file::memory:"
        async with aiosqlite.connect(address, uri=True, timeout=BUSY_TIMEOUT) as connection:
            await connection.create_function("matches", -1, matches, deterministic=True)
            await connection.execute("BEGIN")
            yield connection, {name for (name,) in await connection.execute_fetchall(LIST_COLUMNS)}
