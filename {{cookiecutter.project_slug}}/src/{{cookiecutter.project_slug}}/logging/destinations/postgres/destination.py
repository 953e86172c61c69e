"""PostgreSQL: one row per entry in one table, written by COPY and read by SQL."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from ...contents import Contents
from ...errors import AccessError, DeliveryError, InvalidEntryError
from ...histogram import Histogram, Period, filled
from ...query import LogQuery
from ...stats import CallStats, Group, by_calls
from ...throttle import Throttle
from ..base import RETENTION_INTERVAL, BatchDestination, LogEntry
from ..driver import require_driver
from .client import PostgresClient
from .encoding import Encoder, Row, clean_row, entry_of, for_columns, row_of
from .errors import AlreadyExistsError, MissingTableError, invalid_value
from .schema import RETENTION_CHUNK, Table
from .search import Statement, buckets, contents_of, group_of, oldest_in, select, summarize
from .settings import PostgresSettings
from .stored_table import StoredTable

if TYPE_CHECKING:
    import asyncpg

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
        self._stored_table = StoredTable(self.client, self.table)
        self._may_be_stored = False
        self._expiry = Throttle(RETENTION_INTERVAL)

    @classmethod
    def from_config(cls, config: PostgresSettings) -> Self:
        """Build the destination; raise MissingDriverError without asyncpg."""
        require_driver(cls.driver, name=cls.name)
        return cls(config)

    async def open(self) -> None:
        """Connect; create the table, or add missing columns; raise AccessError if the server rejects us."""
        await self._stored_table.prepared()

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Insert entries in one transaction; skip those already stored."""
        if not entries:
            return
        table = await self._stored_table.prepared()
        try:
            await self._store(entries, table, row_of)
        except (MissingTableError, AccessError):  # a new session decides: another client may have changed the old one
            await self._store(entries, await self._stored_table.prepare(), row_of)
        except InvalidEntryError:
            await self._store(entries, table, clean_row)
        except DeliveryError:
            self._stored_table.forget()  # its columns may have changed
            raise
        await self._delete_expired()

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return the newest matching entries; none if the table does not exist."""
        query = LogQuery.of(**filters)
        return [entry_of(record) for record in await self._fetch(lambda table: select(table, query))]

    async def stats(self, *, by: Group = "tool", **filters: Any) -> CallStats:
        """Return statistics of the matching tool calls, computed by the server; none if the table does not exist."""
        query = LogQuery.of_calls(**filters)
        records = await self._fetch(lambda table: summarize(table, query, by=by))
        return CallStats(groups=by_calls(map(group_of, records)))

    async def histogram(self, period: Period, **filters: Any) -> Histogram:
        """Return the matching tool calls of a period over time, counted by the server; none without a table."""
        query = LogQuery.of_calls(**{**filters, "since": period.since, "until": period.until})
        return filled(map(tuple, await self._fetch(lambda table: buckets(table, query, period))), period)

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest entry; None if there is none."""
        records = await self._fetch(oldest_in)
        moment: datetime | None = records[0]["oldest"] if records else None
        return moment

    async def contents(self) -> Contents:
        """Return what is in the table; nothing if it does not exist."""
        records = await self._fetch(contents_of)
        return Contents(**records[0]) if records else Contents(entries=0)

    async def close(self) -> None:
        """Close all connections within half a second."""
        self._stored_table.forget()
        await self.client.close()

    async def _fetch(self, statement_on: Callable[[Table], Statement]) -> list[asyncpg.Record]:
        """Return the rows of a statement on the table as it is, without changing it."""
        try:
            async with self.client.connection() as connection:
                if (table := await self._stored_table.find(connection)) is None:
                    return []
                statement, values = statement_on(table)
                return await connection.fetch(statement, *values)
        except MissingTableError:
            return []

    async def _store(self, entries: Sequence[LogEntry], table: Table, encode: Encoder) -> None:
        """COPY the rows, the fastest way; INSERT them instead if some are stored, or may be after a failed attempt."""
        encode = for_columns(encode, table.columns)
        may_be_stored, self._may_be_stored = self._may_be_stored, True
        if not may_be_stored:
            may_be_stored = not await self._copy(map(encode, entries), table)
        if may_be_stored:
            async with self.client.connection() as connection:
                await connection.execute(table.insert(), *zip(*map(encode, entries), strict=True))
        self._may_be_stored = False

    async def _copy(self, rows: Iterable[Row], table: Table) -> bool:
        """COPY rows, encoding them while the server reads; return False, and store none, if one is stored already."""
        try:
            async with self.client.connection() as connection:
                await connection.copy_records_to_table(
                    table.name, schema_name=table.schema, columns=table.columns, records=rows
                )
        except AlreadyExistsError:
            return False
        except (TypeError, ValueError, ArithmeticError) as error:
            raise invalid_value(error) from error
        return True

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
