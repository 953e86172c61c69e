"""PostgreSQL: one row per entry in one table, written by COPY and read by SQL."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from ...entry import FIELD_NAMES
from ...errors import DeliveryError, InvalidEntryError
from ...query import LogQuery
from ...throttle import Throttle
from ..base import RETENTION_INTERVAL, BatchDestination, LogEntry
from ..driver import require_driver
from .client import PostgresClient
from .encoding import Row, clean_row, entry_of, row_of
from .errors import AlreadyExistsError, MissingTableError, invalid_value
from .schema import RETENTION_CHUNK, SCHEMA_EXISTS, TABLE_EXISTS, Table
from .settings import PostgresSettings

if TYPE_CHECKING:
    from .client import Connection

CREATION_ATTEMPTS = 3

_logger = logging.getLogger(__name__)


class PostgresDestination(BatchDestination):
    """Rows of one table, one transaction per batch; `entry_id` is the primary key, so entries are stored once.

    Raise SettingError if a setting is malformed.
    """

    name = "postgres"
    settings_class = PostgresSettings
    batch_size = 4_000
    driver = "asyncpg"
    driver_loggers = ("asyncpg",)
    fix_hint = (
        "POSTGRES_DSN must name a running server, an existing database, and a role that can create POSTGRES_TABLE "
        "or write to it; POSTGRES_SSL_ROOT_CERT must name the CA that signed the server's certificate"
    )

    def __init__(self, settings: PostgresSettings) -> None:
        self.client = PostgresClient(settings)
        self.table = Table.of(settings.postgres_table)
        self.retention_days = settings.log_retention_days
        self._insert = self.table.insert()
        self._is_created = False
        self._may_be_stored = False
        self._expiry = Throttle(RETENTION_INTERVAL)

    @classmethod
    def from_config(cls, config: PostgresSettings) -> Self:
        """Build the destination; raise MissingDriverError without asyncpg."""
        require_driver(cls.driver, name=cls.name)
        return cls(config)

    async def open(self) -> None:
        """Connect, and create the table if it is missing; raise AccessError if the server rejects us."""
        if not self._is_created:
            await self._create_table()

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Insert entries in one transaction; skip those already stored."""
        if not entries:
            return
        await self.open()
        try:
            await self._store(entries, row_of)
        except MissingTableError:
            await self._create_table()
            await self._store(entries, row_of)
        except InvalidEntryError:
            await self._store(entries, clean_row)
        await self._delete_expired()

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return the newest matching entries; none if the table does not exist."""
        statement, values = self.table.select(LogQuery.of(**filters))
        try:
            async with self.client.connection() as connection:
                records = await connection.fetch(statement, *values)
        except MissingTableError:
            return []
        return [entry_of(record) for record in records]

    async def close(self) -> None:
        """Close all connections within half a second."""
        self._is_created = False
        await self.client.close()

    async def _store(self, entries: Sequence[LogEntry], encode: Callable[[LogEntry], Row]) -> None:
        """COPY the rows, the fastest way; INSERT them instead if some are stored, or may be after a failed attempt."""
        may_be_stored, self._may_be_stored = self._may_be_stored, True
        if not may_be_stored:
            may_be_stored = not await self._copy(map(encode, entries))
        if may_be_stored:
            async with self.client.connection() as connection:
                await connection.execute(self._insert, *zip(*map(encode, entries), strict=True))
        self._may_be_stored = False

    async def _copy(self, rows: Iterable[Row]) -> bool:
        """COPY rows, encoding them while the server reads; return False, and store none, if one is stored already."""
        try:
            async with self.client.connection() as connection:
                await connection.copy_records_to_table(
                    self.table.name, schema_name=self.table.schema, columns=FIELD_NAMES, records=rows
                )
        except AlreadyExistsError:
            return False
        except (TypeError, ValueError, ArithmeticError) as error:
            raise invalid_value(error) from error
        return True

    async def _create_table(self) -> None:
        """Create the table if it is missing; try again if another process creates it at the same time."""
        for _ in range(CREATION_ATTEMPTS):
            with suppress(AlreadyExistsError):
                async with self.client.connection() as connection:
                    await self._create_missing(connection)
                self._is_created = True
                return
        msg = f"{self.client.server}: other processes keep creating and dropping {self.table}"
        raise DeliveryError(msg)

    async def _create_missing(self, connection: Connection) -> None:
        """Create the table, its indexes and, if necessary, its schema in one transaction."""
        exists, comment = await connection.fetchrow(TABLE_EXISTS, str(self.table)) or (False, None)
        self.table.check_version(comment)
        if exists:
            return
        schema = self.table.schema
        async with connection.transaction():
            if schema and not await connection.fetchval(SCHEMA_EXISTS, f'"{schema}"'):
                await connection.execute(f'CREATE SCHEMA "{schema}"')
            for statement in self.table.create():
                await connection.execute(statement)

    async def _delete_expired(self) -> None:
        """Delete one chunk of rows past retention; only report a failure, because the batch is already stored."""
        if not self.retention_days or not self._expiry.ready():
            return
        limit = datetime.now(UTC) - timedelta(days=self.retention_days)
        try:
            async with self.client.connection() as connection:
                status = await connection.execute(self.table.delete_expired(), limit)
        except DeliveryError as error:
            _logger.warning("Rows of %s older than LOG_RETENTION_DAYS cannot be deleted: %s", self.table, error)
            return
        if status == f"DELETE {RETENTION_CHUNK}":
            self._expiry.reset()
