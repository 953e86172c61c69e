"""Delete the rows that are too old, and the oldest rows of a file that is too large."""

from __future__ import annotations

import logging
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...entry import iso_utc
from ...throttle import Throttle
from ..base import RETENTION_INTERVAL
from . import schema

if TYPE_CHECKING:
    import aiosqlite

MEGABYTE = 1_000_000
OLDEST_CHUNKS = 50  # maximum deletions of oldest rows per batch: more rows than a batch has

_logger = logging.getLogger(__name__)


class Retention:
    """Limits on age and size; 0 is no limit.

    The size is that of the used pages: SQLite keeps the pages of deleted rows in the file and uses them again.
    """

    def __init__(self, path: Path, *, days: int, max_mb: int) -> None:
        self.days = days
        self.max_mb = max_mb
        self._path = path
        self._deleted = 0
        self._expiry = Throttle(RETENTION_INTERVAL)
        self._size_report = Throttle(RETENTION_INTERVAL)
        self._failure_report = Throttle(RETENTION_INTERVAL)

    async def enforce(self, connection: aiosqlite.Connection) -> None:
        """Delete a few chunks at most; only report a failure, because the batch is already stored."""
        try:
            await self._delete_expired(connection)
            await self._delete_oldest(connection)
        except sqlite3.Error as error:
            await connection.rollback()
            if self._failure_report.ready():
                _logger.warning("Old rows of %s cannot be deleted: %s", self._path, error)

    async def _delete_expired(self, connection: aiosqlite.Connection) -> None:
        """Delete one chunk of rows past retention, once in a while or while there are more."""
        if not self.days or not self._expiry.ready():
            return
        limit = iso_utc(datetime.now(UTC) - timedelta(days=self.days))
        if await _delete(connection, schema.DELETE_EXPIRED, limit) == schema.EXPIRED_CHUNK:
            self._expiry.reset()

    async def _delete_oldest(self, connection: aiosqlite.Connection) -> None:
        """Delete chunks of the oldest rows while the file is too large; report once in a while how many went."""
        if not self.max_mb or not await self._is_too_large(connection):
            return
        for _ in range(OLDEST_CHUNKS):
            self._deleted += await _delete(connection, schema.DELETE_OLDEST)
            if not await self._is_too_large(connection):
                break
        if self._size_report.ready():
            text = "%s reached SQLITE_MAX_MB=%d: its oldest entries are deleted (%d so far)"
            _logger.warning(text, self._path, self.max_mb, self._deleted)

    async def _is_too_large(self, connection: aiosqlite.Connection) -> bool:
        ((used,),) = await connection.execute_fetchall(schema.USED_BYTES)
        return bool(used > self.max_mb * MEGABYTE)


async def _delete(connection: aiosqlite.Connection, statement: str, *values: str) -> int:
    """Run a deletion in a transaction; return how many rows it deleted."""
    cursor = await connection.execute(statement, values)
    await connection.commit()
    return cursor.rowcount
