"""SQLite: one table in one file on this machine, shared by every server process of the user."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from ...entry import FIELD_NAMES, JSON_FIELDS, iso_utc
from ...errors import AccessError, DeliveryError, InvalidEntryError
from ...forks import hold_off_forks
from ...json_safe import decode_json, encode_json
from ...query import TEXT_FIELDS, LogQuery
from ...settings import LogSettings, full_path
from ...throttle import Throttle
from ..base import RETENTION_INTERVAL, LogDestination, LogEntry
from ..driver import PACKAGE, require_driver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import aiosqlite

TABLE = "unified_logs"
SCHEMA_VERSION = 1
BUSY_TIMEOUT_MS = 500
"""How long SQLite itself waits for another process; short, since the buffer comes back anyway."""
RETENTION_CHUNK = 5_000
ROWS = 32
"""Rows of one statement, which is as many as have no more than 999 values, the least that a SQLite may take at once.

Each statement lets the interpreter's lock go and takes it back; a row takes a sixth less time than with one for each.
"""

_TYPES = {"timestamp": "TEXT NOT NULL", "duration_ms": "REAL", "line": "INTEGER", "process_id": "INTEGER"}
_COLUMNS = ", ".join(f"{name} {_TYPES.get(name, 'TEXT')}" for name in FIELD_NAMES)
_SCHEMA = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (id INTEGER PRIMARY KEY, {_COLUMNS})",
    f"CREATE UNIQUE INDEX IF NOT EXISTS {TABLE}_entry ON {TABLE} (entry_id)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_time ON {TABLE} (timestamp)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_correlation ON {TABLE} (correlation_id)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_tool ON {TABLE} (tool_name, timestamp) WHERE tool_name IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_level ON {TABLE} (level, timestamp)",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
_ROW = f"({', '.join('?' * len(FIELD_NAMES))})"
_INSERT = f"INSERT OR IGNORE INTO {TABLE} ({', '.join(FIELD_NAMES)}) VALUES {_ROW}"  # noqa: S608 - names of our own
_INSERT_ROWS = ", ".join([_INSERT, *[_ROW] * (ROWS - 1)])
_EXPIRE = (
    f"DELETE FROM {TABLE} WHERE id IN "  # noqa: S608 - names of our own
    f"(SELECT id FROM {TABLE} WHERE timestamp < ? LIMIT {RETENTION_CHUNK})"
)
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
_TIMESTAMP, _INPUT_ARGS, _EXTRA_DATA = map(FIELD_NAMES.index, ("timestamp", *JSON_FIELDS))

_logger = logging.getLogger(__name__)


def _default_path() -> Path:
    from platformdirs import user_data_path  # noqa: PLC0415 - only where nothing else was configured

    try:
        return user_data_path(PACKAGE, appauthor=False) / "logs.db"
    except RuntimeError:  # nobody's home can be found, which is said where the file is needed
        return Path("~", PACKAGE, "logs.db")


class SQLiteSettings(LogSettings):
    """Settings of the SQLite destination."""

    sqlite_path: Path = Field(default_factory=_default_path, description="The SQLite file; made with mode 0600.")


class SQLiteDestination(LogDestination):
    """Rows of `unified_logs`, a batch a transaction, idempotent by entry id.

    `retention_days` of 0 keeps everything.
    """

    name = "sqlite"
    settings_class = SQLiteSettings
    batch_size = 2_000
    driver = "aiosqlite"
    driver_loggers = ("aiosqlite",)
    fix_hint = "SQLITE_PATH must name a file that this project made, or a new one, where this user may write"

    def __init__(self, path: str | os.PathLike[str], *, retention_days: int = 0) -> None:
        self.path = full_path(path, setting="SQLITE_PATH")
        self.retention_days = retention_days
        self._connection: aiosqlite.Connection | None = None
        self._file_id: tuple[int, int] | None = None
        self._expiry = Throttle(RETENTION_INTERVAL)
        self._lock = asyncio.Lock()  # writes at once would share the one connection's transaction

    @classmethod
    def from_config(cls, config: SQLiteSettings) -> Self:
        """Build the destination; raise MissingDriverError without aiosqlite."""
        require_driver(cls.driver, name=cls.name)
        return cls(config.sqlite_path, retention_days=config.log_retention_days)

    async def open(self) -> None:
        """Make the file (0600), the table and its indexes; raise DeliveryError where it is not ours."""
        with hold_off_forks():
            import aiosqlite  # noqa: PLC0415 - a driver is imported by the destination that is switched on

            await self.close()
            _create_private(self.path)
            connection = await aiosqlite.connect(self.path, timeout=BUSY_TIMEOUT_MS / 1000)
            try:
                file_id = _file_id(self.path)
                has_schema = await self._has_schema(connection)
                await connection.execute("PRAGMA journal_mode = WAL")
                await connection.execute("PRAGMA synchronous = NORMAL")
                if not has_schema:
                    await _make_schema(connection)
            except BaseException:
                await connection.close()
                raise
            self._connection, self._file_id = connection, file_id

    async def write(self, entry: LogEntry) -> None:
        """Insert one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Insert entries in one transaction; those already there are left as they are."""
        rows = [_row(entry) for entry in entries]
        async with self._lock:
            with hold_off_forks():
                await self._insert(rows)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return the newest matching entries over a read-only connection; a file that is not there holds none."""
        import aiosqlite  # noqa: PLC0415

        statement, values = _select(LogQuery.of(**filters))
        if not self.path.exists():
            return []
        uri = f"{self.path.as_uri()}?mode=ro"
        with hold_off_forks():
            async with aiosqlite.connect(uri, uri=True, timeout=BUSY_TIMEOUT_MS / 1000) as connection:
                if not await connection.execute_fetchall(f"SELECT 1 FROM sqlite_master WHERE name = '{TABLE}'"):  # noqa: S608
                    return []
                await connection.create_function("holds", 2, _holds, deterministic=True)
                await connection.create_function("json_holds", 2, _json_holds, deterministic=True)
                return [_entry(row) for row in await connection.execute_fetchall(statement, values)]

    async def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _insert(self, rows: list[list[Any]]) -> None:
        try:
            connection = await self._current()
            await connection.executemany(_INSERT_ROWS, _by_statement(rows))
            await connection.executemany(_INSERT, rows[len(rows) // ROWS * ROWS :])
            await connection.commit()
        except (sqlite3.InterfaceError, sqlite3.ProgrammingError, OverflowError, UnicodeEncodeError) as error:
            await self.close()
            msg = f"SQLite cannot store a value: {error}"
            raise InvalidEntryError(msg) from error
        except BaseException:
            await self.close()
            raise
        await self._expire(connection)

    async def _current(self) -> aiosqlite.Connection:
        """Return an open connection to the file that now has our path: SQLite goes on writing to a deleted one."""
        if self._connection is not None and _file_id(self.path) != self._file_id:
            await self.close()
        if self._connection is None:
            await self.open()
        assert self._connection is not None  # noqa: S101 - open() raises or connects
        return self._connection

    async def _has_schema(self, connection: aiosqlite.Connection) -> bool:
        """Tell whether our table is there; raise DeliveryError where the file is not ours to write to."""
        (version,) = next(iter(await connection.execute_fetchall("PRAGMA user_version")))
        if version > SCHEMA_VERSION:
            msg = f"{self.path} has schema {version}, this project writes {SCHEMA_VERSION}: use another SQLITE_PATH"
            raise AccessError(msg)
        tables = [name for (name,) in await connection.execute_fetchall(_TABLES)]
        if tables and TABLE not in tables:
            msg = f"{self.path} is a database of something else, with the table {tables[0]}: use another SQLITE_PATH"
            raise DeliveryError(msg)  # whoever put it there may take it away again
        return version == SCHEMA_VERSION and TABLE in tables

    async def _expire(self, connection: aiosqlite.Connection) -> None:
        """Delete what is past retention; what was written is written, so a failure here is only said."""
        if not self.retention_days or not self._expiry.ready():
            return
        limit = iso_utc(datetime.now(UTC) - timedelta(days=self.retention_days))
        try:
            cursor = await connection.execute(_EXPIRE, (limit,))
            await connection.commit()
        except sqlite3.Error as error:
            await connection.rollback()
            _logger.warning("Rows of %s past retention are not deleted: %s", self.path, error)
        else:
            if cursor.rowcount == RETENTION_CHUNK:
                self._expiry.reset()


async def _make_schema(connection: aiosqlite.Connection) -> None:
    await connection.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA:
        await connection.execute(statement)
    await connection.commit()


def _create_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _file_id(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def _row(entry: LogEntry) -> list[Any]:
    row = list(entry.values())
    row[_TIMESTAMP] = iso_utc(entry.timestamp)
    if entry.input_args is not None:
        row[_INPUT_ARGS] = encode_json(entry.input_args)
    if entry.extra_data is not None:
        row[_EXTRA_DATA] = encode_json(entry.extra_data)
    return row


def _by_statement(rows: list[list[Any]]) -> list[list[Any]]:
    """Return the values of as many rows as one statement takes each; those of the last few are left out."""
    last = len(rows) // ROWS * ROWS
    return [[*chain.from_iterable(rows[start : start + ROWS])] for start in range(0, last, ROWS)]


def _entry(row: Sequence[Any]) -> LogEntry:
    values = dict(zip(FIELD_NAMES, row, strict=True))
    for name in JSON_FIELDS:
        values[name] = decode_json(values[name]) if values[name] is not None else None
    return LogEntry.from_dict(values)


def _select(query: LogQuery) -> tuple[str, list[Any]]:
    conditions, values = [f"{name} = ?" for name in query.equals], list[Any](query.equals.values())
    if query.levels:
        conditions.append(f"level IN ({', '.join('?' * len(query.levels))})")
        values.extend(query.levels)
    for comparison, moment in (("timestamp >= ?", query.since), ("timestamp < ?", query.until)):
        if moment is not None:
            conditions.append(comparison)
            values.append(iso_utc(moment))
    if query.text is not None:
        conditions.append(" OR ".join([*(f"holds({name}, ?)" for name in TEXT_FIELDS), "json_holds(input_args, ?)"]))
        values.extend([query.text.casefold()] * (len(TEXT_FIELDS) + 1))
    where = " AND ".join(f"({condition})" for condition in conditions) or "1"
    order = "ORDER BY timestamp DESC, id DESC LIMIT ? OFFSET ?"
    statement = f"SELECT {', '.join(FIELD_NAMES)} FROM {TABLE} WHERE {where} {order}"  # noqa: S608 - values are bound
    return statement, [*values, query.limit, query.offset]


def _holds(text: str | None, wanted: str) -> bool:
    """Tell whether a text holds another one that is case-folded; SQLite itself knows ASCII's letters only."""
    return text is not None and wanted in text.casefold()


def _json_holds(text: str | None, wanted: str) -> bool:
    """Tell whether a value in JSON text does; its keys and its punctuation do not count."""
    return text is not None and any(wanted in atom for atom in _atoms(decode_json(text)))


def _atoms(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _atoms(item)
    elif value is not None:
        yield str(value).casefold()
