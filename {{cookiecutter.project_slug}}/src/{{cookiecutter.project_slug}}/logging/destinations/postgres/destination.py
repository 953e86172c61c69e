"""PostgreSQL: a row per entry in one table, written by COPY, found again by SQL."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, SecretStr

from ...entry import FIELD_NAMES
from ...errors import MAX_REASON, AccessError, DeliveryError, InvalidEntryError
from ...query import LogQuery
from ...settings import LogSettings
from ...throttle import Throttle
from ..base import RETENTION_INTERVAL, LogDestination, LogEntry
from ..driver import require_driver
from .client import Server, explained
from .encoding import Row, clean_row, entry_of, row_of
from .schema import EXPIRE_CHUNK, SCHEMA_VERSION, Table, schema_version

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    import asyncpg
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

DSN = "postgresql://postgres@localhost:5432/postgres"
TABLE = "mcp_logs"
RELEASE_TIMEOUT = 1.0
"""Seconds a cancelled statement may take to end before its connection is cut."""
CLOSE_TIMEOUT = 0.5
CREATION_ATTEMPTS = 3

_EXISTS = "SELECT to_regclass($1) IS NOT NULL, obj_description(to_regclass($1)::oid, 'pg_class')"
_SCHEMA_EXISTS = "SELECT to_regnamespace($1) IS NOT NULL"
_logger = logging.getLogger(__name__)


class PostgresSettings(LogSettings):
    """Settings of the PostgreSQL destination."""

    postgres_dsn: SecretStr = Field(
        default=SecretStr(DSN), description="Connection URL: postgresql://user:password@host:port/database?sslmode=..."
    )
    postgres_table: str = Field(default=TABLE, description="table or schema.table; made unless it is there.")
    postgres_ssl_root_cert: str | None = Field(
        default=None, description="PEM file of the authorities to trust; unset: those of the system."
    )


class PostgresDestination(LogDestination):
    """Rows of one table, a batch a transaction, idempotent by entry id, which is the primary key.

    `retention_days` of 0 keeps everything. Raises SettingError for a malformed setting.
    """

    name = "postgres"
    settings_class = PostgresSettings
    batch_size = 4_000
    driver = "asyncpg"
    driver_loggers = ("asyncpg",)
    fix_hint = (
        "POSTGRES_DSN must name a server that runs, a database, and a user who may make POSTGRES_TABLE or write to it, "
        "POSTGRES_SSL_ROOT_CERT who signed the server's certificate"
    )

    def __init__(
        self,
        dsn: str = DSN,
        *,
        table: str = TABLE,
        ssl_root_cert: str | os.PathLike[str] | None = None,
        retention_days: int = 0,
    ) -> None:
        self.server = Server.of(dsn, ssl_root_cert=ssl_root_cert)
        self.table = Table.of(table)
        self.retention_days = retention_days
        self._insertion = self.table.insertion()
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None
        self._opening = asyncio.Lock()
        self._table_stands = False
        self._doubtful = False
        self._expiry = Throttle(RETENTION_INTERVAL)

    @classmethod
    def from_config(cls, config: PostgresSettings) -> Self:
        """Build the destination; raise MissingDriverError without asyncpg."""
        require_driver(cls.driver, name=cls.name)
        return cls(
            config.postgres_dsn.get_secret_value(),
            table=config.postgres_table,
            ssl_root_cert=config.postgres_ssl_root_cert,
            retention_days=config.log_retention_days,
        )

    async def open(self) -> None:
        """Connect, and make the table unless it is there; raise AccessError where the server does not accept us."""
        if not self._table_stands:
            with explained(self.server):
                async with self._connection() as connection:
                    await self._make_table(connection)

    async def write(self, entry: LogEntry) -> None:
        """Insert one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Insert entries in one transaction; those already there are left as they are."""
        if not entries:
            return
        await self.open()
        with explained(self.server):
            async with self._connection() as connection:
                await self._deliver(connection, entries)
                await self._expire(connection)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return the newest matching entries; a table that is not there holds none."""
        import asyncpg  # noqa: PLC0415 - a driver is imported by the destination that is switched on

        statement, values = self.table.selection(LogQuery.of(**filters))
        with explained(self.server):
            async with self._connection() as connection:
                try:
                    return [entry_of(record) for record in await connection.fetch(statement, *values)]
                except asyncpg.UndefinedTableError:
                    return []

    async def close(self) -> None:
        """Close the connections, within half a second."""
        pool, self._pool, self._table_stands = self._pool, None, False
        if pool is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await pool.close()
            pool.terminate()

    async def _connected(self) -> asyncpg.Pool[asyncpg.Record]:
        """Return the one pool, which connects again by itself whenever it has to."""
        async with self._opening:
            if self._pool is None:
                self._pool = await self.server.connect()
            return self._pool

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """Lend a connection; one that does not come to rest in time is cut, and what was raised meanwhile counts."""
        import asyncpg  # noqa: PLC0415

        pool = await self._connected()
        connection = await pool.acquire()
        try:
            yield connection
        except asyncpg.InternalClientError:
            connection.terminate()  # the server has said farewell to it, while nobody used it, and not yet hung up
            raise
        finally:
            with contextlib.suppress(Exception):
                if connection.is_closed():
                    connection.terminate()  # before 0.32 asyncpg never gave the place of a lost one free
                await pool.release(connection, timeout=RELEASE_TIMEOUT)

    async def _make_table(self, connection: Connection) -> None:
        """Make schema, table and indexes in one transaction, unless another process is quicker."""
        import asyncpg  # noqa: PLC0415

        for _ in range(CREATION_ATTEMPTS):
            if await self._stands(connection):
                self._table_stands = True
                return
            with contextlib.suppress(
                asyncpg.DuplicateTableError, asyncpg.DuplicateSchemaError, asyncpg.UniqueViolationError
            ):
                async with connection.transaction():
                    if self.table.schema and not await connection.fetchval(_SCHEMA_EXISTS, f'"{self.table.schema}"'):
                        await connection.execute(f'CREATE SCHEMA "{self.table.schema}"')
                    for statement in self.table.creation():
                        await connection.execute(statement)
        msg = f"PostgreSQL at {self.server.address}: others keep making and dropping {self.table}"
        raise DeliveryError(msg)

    async def _stands(self, connection: Connection) -> bool:
        """Tell whether the table is there; raise AccessError where its schema is newer than ours."""
        row = await connection.fetchrow(_EXISTS, str(self.table))
        stands, comment = row or (False, None)
        if (version := schema_version(comment)) > SCHEMA_VERSION:
            msg = (
                f"The table {self.table} has schema version {version}, this project writes {SCHEMA_VERSION}: "
                "update it, or use another POSTGRES_TABLE"
            )
            raise AccessError(msg)
        return bool(stands)

    async def _deliver(self, connection: Connection, entries: Sequence[LogEntry]) -> None:
        """Store entries, once more with the table made again or the values cleaned where that is what is wrong."""
        import asyncpg  # noqa: PLC0415

        unfit = (asyncpg.DataError, TypeError, ValueError, ArithmeticError)
        refused = (asyncpg.ProgramLimitExceededError, asyncpg.IntegrityConstraintViolationError)
        try:
            try:
                await self._store(connection, entries, row_of)
            except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
                await self._make_table(connection)
                await self._store(connection, entries, row_of)
            except unfit:
                await self._store(connection, entries, clean_row)
        except (*unfit, *refused) as error:
            msg = f"PostgreSQL cannot store a value: {error.args[0] if error.args else error!r}"
            raise InvalidEntryError(msg[:MAX_REASON]) from error

    async def _store(self, connection: Connection, entries: Sequence[LogEntry], row: Callable[[LogEntry], Row]) -> None:
        """COPY, the fastest way; INSERT what is not there where some of it is, or may be since the last failure."""
        doubtful, self._doubtful = self._doubtful, True
        if doubtful or not await self._copied(connection, map(row, entries)):
            await connection.execute(self._insertion, *zip(*map(row, entries), strict=True))
        self._doubtful = False

    async def _copied(self, connection: Connection, rows: Iterable[Row]) -> bool:
        """COPY rows, made while the server takes those before; return False, with nothing done, where one is there."""
        import asyncpg  # noqa: PLC0415

        try:
            await connection.copy_records_to_table(
                self.table.name, schema_name=self.table.schema, columns=FIELD_NAMES, records=rows
            )
        except asyncpg.UniqueViolationError:
            return False
        return True

    async def _expire(self, connection: Connection) -> None:
        """Delete a chunk of what is past retention; what was written is written, so a failure here is only said."""
        import asyncpg  # noqa: PLC0415

        if not self.retention_days or not self._expiry.ready():
            return
        limit = datetime.now(UTC) - timedelta(days=self.retention_days)
        try:
            status = await connection.execute(self.table.expiry(), limit)
        except asyncpg.PostgresError as error:
            _logger.warning("Rows of %s past LOG_RETENTION_DAYS could not be deleted: %s", self.table, error)
        else:
            if status == f"DELETE {EXPIRE_CHUNK}":
                self._expiry.reset()
