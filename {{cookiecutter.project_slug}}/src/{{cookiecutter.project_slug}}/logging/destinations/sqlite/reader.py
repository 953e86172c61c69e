"""Read the SQLite file over a read-only connection, without blocking writers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...contents import Contents
from ...entry import LogEntry
from ...forks import hold_off_forks
from ...histogram import Histogram, Period, filled
from ...query import LogQuery
from ...stats import Group, GroupStats, by_calls
from ..driver import translated_errors
from .encoding import entry_of
from .errors import explain, file_exists, require_writable_folder
from .schema import CONTENTS, LIST_COLUMNS, OLDEST
from .search import matches, select
from .stats import buckets, group_of, groups

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
    """Return the statistics of the matching entries, read in one statement; only one group at a time is in memory."""
    async with _transaction(path) as (connection, columns):
        if not columns:
            return []
        async with connection.execute(*groups(query, columns, by=by)) as rows:
            return by_calls([group_of(tuple(row)) async for row in rows])


async def read_histogram(path: Path, query: LogQuery, period: Period) -> Histogram:
    """Return the matching entries of a period over time, counted in one statement."""
    async with _transaction(path) as (connection, columns):
        if not columns:
            return filled((), period)
        rows = await connection.execute_fetchall(*buckets(query, columns, period))
        return filled((tuple(row) for row in rows if row[0] is not None), period)  # a time that SQLite can read


async def read_oldest(path: Path) -> datetime | None:
    """Return the time of the oldest entry, which an index has."""
    async with _transaction(path) as (connection, columns):
        if not columns:
            return None
        ((moment,),) = await connection.execute_fetchall(OLDEST)
    return moment and datetime.fromisoformat(moment)


async def read_contents(path: Path) -> Contents:
    """Return what is in the file; its size includes what SQLite has yet to merge into it."""
    async with _transaction(path) as (connection, columns):
        if not columns:
            return Contents(entries=0)
        ((entries, *ends),) = await connection.execute_fetchall(CONTENTS)
    oldest, newest = (moment and datetime.fromisoformat(moment) for moment in ends)
    files = (path, path.with_name(f"{path.name}-wal"))
    size = sum(file.stat().st_size for file in files if file.exists())
    return Contents(entries=entries, oldest=oldest, newest=newest, size_bytes=size)


@asynccontextmanager
async def _transaction(path: Path) -> AsyncIterator[tuple[aiosqlite.Connection, set[str]]]:
    """Open a file for reading; yield the connection and the table's columns, or none without a file or table.

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
            try:
                await connection.create_function("matches", -1, matches, deterministic=True)
                await connection.execute("BEGIN")
                yield connection, {name for (name,) in await connection.execute_fetchall(LIST_COLUMNS)}
            except asyncio.CancelledError:
                await connection.interrupt()  # the statement; otherwise the connection is closed only after its end
                raise
