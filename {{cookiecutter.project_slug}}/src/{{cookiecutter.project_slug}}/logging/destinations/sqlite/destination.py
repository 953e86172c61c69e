"""SQLite: one table in one file on this machine, shared by all server processes of the user."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ...contents import Contents
from ...errors import AccessError, DeliveryError, InvalidEntryError
from ...forks import hold_off_forks
from ...histogram import Histogram, Period
from ...query import LogQuery
from ...settings import full_path
from ...stats import CallStats, Group
from ..base import BatchDestination, LogEntry
from ..driver import require_driver, translated_errors
from . import schema
from .encoding import grouped_rows, row_of
from .errors import explain, file_exists
from .reader import BUSY_TIMEOUT, read_contents, read_entries, read_histogram, read_oldest, read_stats
from .retention import Retention
from .schema import SCHEMA_VERSION, TABLE
from .settings import SQLiteSettings

if TYPE_CHECKING:
    import aiosqlite


class SQLiteDestination(BatchDestination):
    """Rows of `unified_logs`, one transaction per batch; `entry_id` is unique, so entries are stored once.

    Entries older than `retention_days` are deleted, and the oldest ones of a file above `max_mb` megabytes; 0 is no
    limit. Raise PathError if the home or the working folder in the path does not exist.
    """

    name = "sqlite"
    settings_class = SQLiteSettings
    batch_size = 2_000
    driver = "aiosqlite"
    driver_loggers = ("aiosqlite",)
    fix_hint = "SQLITE_PATH must name a new file or a log file of this project, in a folder where this user can write"

    def __init__(self, path: str | os.PathLike[str], *, retention_days: int = 0, max_mb: int = 0) -> None:
        self.path = full_path(path, setting="SQLITE_PATH")
        self._retention = Retention(self.path, days=retention_days, max_mb=max_mb)
        self._connection: aiosqlite.Connection | None = None
        self._file_id: tuple[int, int] | None = None
        self._lock = asyncio.Lock()  # concurrent writes would share the connection's transaction

    @classmethod
    def from_config(cls, config: SQLiteSettings) -> Self:
        """Build the destination; raise MissingDriverError without aiosqlite."""
        require_driver(cls.driver, name=cls.name)
        return cls(config.sqlite_path, retention_days=config.log_retention_days, max_mb=config.sqlite_max_mb)

    async def open(self) -> None:
        """Create the file (mode 0600) and the table, or add missing columns.

        Raise DeliveryError if it cannot be used, or is another program's.
        """
        with hold_off_forks(), translated_errors(partial(explain, self.path)):
            import aiosqlite  # noqa: PLC0415 - a driver is imported by the destination that is switched on

            await self.close()
            if not file_exists(self.path):
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self.path.touch(mode=0o600)
            connection = await aiosqlite.connect(self.path, timeout=BUSY_TIMEOUT)
            try:
                file_id = _file_id(self.path)
                await self._prepare(connection)
            except BaseException:
                await connection.close()
                raise
            self._connection, self._file_id = connection, file_id

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Insert entries in one transaction; skip those already stored."""
        async with self._lock:
            with hold_off_forks(), translated_errors(partial(explain, self.path)):
                try:
                    connection = await self._current()
                    await _insert(connection, entries)
                    await self._retention.enforce(connection)
                except BaseException:
                    await self.close()
                    raise

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return the matching entries; none if the file does not exist."""
        return await read_entries(self.path, LogQuery.of(**filters))

    async def stats(self, *, by: Group = "tool", **filters: Any) -> CallStats:
        """Return statistics of all matching tool calls; none if the file does not exist."""
        return CallStats(groups=await read_stats(self.path, LogQuery.of_calls(**filters), by=by))

    async def histogram(self, period: Period, **filters: Any) -> Histogram:
        """Return all matching tool calls of a period over time; none if the file does not exist."""
        calls = LogQuery.of_calls(**{**filters, "since": period.since, "until": period.until})
        return await read_histogram(self.path, calls, period)

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest entry; None if there is none."""
        return await read_oldest(self.path)

    async def contents(self) -> Contents:
        """Return what is in the file; nothing if it does not exist."""
        return await read_contents(self.path)

    async def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _current(self) -> aiosqlite.Connection:
        """Return an open connection; reopen if the file was replaced, because SQLite keeps writing to a deleted one."""
        if self._connection is None or _file_id(self.path) != self._file_id:
            await self.open()
        assert self._connection is not None  # noqa: S101 - open() raises or connects
        return self._connection

    async def _prepare(self, connection: aiosqlite.Connection) -> None:
        """Switch to WAL, and create what is missing; raise DeliveryError if the file is another program's."""
        (version,) = next(iter(await connection.execute_fetchall("PRAGMA user_version")))
        if version > SCHEMA_VERSION:
            msg = (
                f"{self.path} has schema version {version}, but this project writes version {SCHEMA_VERSION}: "
                "update the project, or use another SQLITE_PATH"
            )
            raise AccessError(msg)
        tables = await _names(connection, schema.LIST_TABLES)
        if tables and TABLE not in tables:
            msg = f"{self.path} is a database of another program, with the table {tables[0]}: use another SQLITE_PATH"
            raise DeliveryError(msg)  # temporary, because the file may be moved away
        await connection.execute("PRAGMA journal_mode = WAL")
        await connection.execute("PRAGMA synchronous = NORMAL")
        if version < SCHEMA_VERSION or schema.add_columns(await _names(connection, schema.LIST_COLUMNS)):
            await _create(connection)


async def _create(connection: aiosqlite.Connection) -> None:
    """Create the table and its indexes, or add the columns that an older project did not create.

    The columns are listed in the transaction, because another process may be adding them at the same time.
    """
    await connection.execute("BEGIN IMMEDIATE")
    for statement in schema.CREATE:
        await connection.execute(statement)
    for statement in schema.add_columns(await _names(connection, schema.LIST_COLUMNS)):
        await connection.execute(statement)
    await connection.commit()


async def _insert(connection: aiosqlite.Connection, entries: Sequence[LogEntry]) -> None:
    """Insert entries, most of them in statements of many; raise InvalidEntryError if a value cannot be stored."""
    many = len(entries) // schema.ROWS * schema.ROWS
    with translated_errors(_translate):
        if many:
            await connection.executemany(schema.INSERT_ROWS, grouped_rows(entries[:many], schema.ROWS))
        if many < len(entries):
            await connection.executemany(schema.INSERT, map(row_of, entries[many:]))
        await connection.commit()


def _translate(error: Exception) -> InvalidEntryError | None:
    if isinstance(error, (sqlite3.InterfaceError, sqlite3.ProgrammingError, OverflowError, UnicodeEncodeError)):
        return InvalidEntryError(f"SQLite cannot store a value: {error}")
    return None


async def _names(connection: aiosqlite.Connection, statement: str) -> list[str]:
    return [name for (name,) in await connection.execute_fetchall(statement)]


def _file_id(path: Path) -> tuple[int, int] | None:
    with suppress(FileNotFoundError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None
