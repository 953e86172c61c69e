"""The table on the server: found, created, and given the columns that a table of an earlier schema lacks."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from ...entry import FIELD_NAMES
from ...errors import DeliveryError
from ...throttle import Throttle
from ..base import RETENTION_INTERVAL
from .client import PostgresClient
from .errors import AlreadyExistsError
from .schema import FIND_TABLE, LIMIT_WAIT_FOR_LOCK, SCHEMA_EXISTS, Table
from .settings import DEFAULT_TABLE, FORMER_DEFAULT_TABLE

if TYPE_CHECKING:
    from .client import Connection

CREATION_ATTEMPTS = 3

_logger = logging.getLogger(__name__)


class StoredTable:
    """The table on the server. `find` never changes it; each warning is logged once."""

    def __init__(self, client: PostgresClient, table: Table) -> None:
        self._client = client
        self._table = table
        self._prepared: Table | None = None
        self._sessions = 0
        self._next_attempt = Throttle(RETENTION_INTERVAL)
        self._warnings = set[str]()

    async def prepared(self) -> Table:
        """Return the table as last prepared; look for missing columns again every hour and after reconnecting."""
        table = self._prepared
        if table is None or (table.missing_columns and self._may_have_columns_now()):
            table = await self.prepare()
        return table

    async def prepare(self) -> Table:
        """Create the table, or add missing columns; try again if another process creates it at the same time."""
        for _ in range(CREATION_ATTEMPTS):
            with suppress(AlreadyExistsError):
                self._prepared = table = await self._with_all_columns(await self._find_or_create())
                self._sessions = self._client.sessions
                self._next_attempt.ready()
                return table
        msg = f"{self._client.server}: other processes keep creating and dropping {self._table}"
        raise DeliveryError(msg)

    def _may_have_columns_now(self) -> bool:
        return self._client.sessions > self._sessions or self._next_attempt.ready()

    def forget(self) -> None:
        """Prepare the table again before the next write."""
        self._prepared = None

    async def find(self, connection: Connection) -> Table | None:
        """Return the table with its columns, or None if it does not exist; raise AccessError if its schema is newer."""
        found = await _find(connection, self._table)
        if found is None and self._table == Table(DEFAULT_TABLE):
            await self._mention_former_table(connection)
        return found

    async def _find_or_create(self) -> Table:
        async with self._client.connection() as connection:
            found = await self.find(connection)
            if found is None:
                await _create(connection, self._table)
        return found or self._table

    async def _with_all_columns(self, table: Table) -> Table:
        """Add the missing columns; if that is impossible, warn, and go on without them."""
        if not table.missing_columns:
            return table
        if not table.is_owned:
            self._ask_for_columns(table, f"The role of POSTGRES_DSN does not own the table {table}")
            return table
        try:
            async with self._client.connection() as connection:
                await _add_missing_columns(connection, table)
        except DeliveryError as error:
            self._ask_for_columns(table, str(error))
            return table
        return replace(table, columns=FIELD_NAMES)

    def _ask_for_columns(self, table: Table, reason: str) -> None:
        self._warn_once(
            f"{reason}, so fields without a column are stored in extra_data until the owner runs: "
            f"{table.add_columns()};"
        )

    async def _mention_former_table(self, connection: Connection) -> None:
        former = await _find(connection, Table(FORMER_DEFAULT_TABLE))
        if former is not None:
            self._warn_once(
                f"{self._client.server} has no table {self._table}, but it has {former}, where earlier versions stored "
                f"entries by default; to use that one, set POSTGRES_TABLE={FORMER_DEFAULT_TABLE}"
            )

    def _warn_once(self, message: str) -> None:
        if message not in self._warnings:
            self._warnings.add(message)
            _logger.warning("%s", message)


async def _find(connection: Connection, table: Table) -> Table | None:
    found = await connection.fetchrow(FIND_TABLE, str(table))
    if found is None:
        return None
    table.check_version(found["comment"])
    return table.as_found(schema=found["schema"], columns=found["columns"], is_owned=found["is_owned"])


async def _create(connection: Connection, table: Table) -> None:
    """Create the table, its indexes and, if necessary, its schema in one transaction."""
    async with connection.transaction():
        if table.schema and not await connection.fetchval(SCHEMA_EXISTS, f'"{table.schema}"'):
            await connection.execute(f'CREATE SCHEMA "{table.schema}"')
        for statement in table.create():
            await connection.execute(statement)


async def _add_missing_columns(connection: Connection, table: Table) -> None:
    """Add the missing columns, which rewrites no rows; give up soon if another transaction uses the table."""
    async with connection.transaction():
        await connection.execute(LIMIT_WAIT_FOR_LOCK)
        await connection.execute(table.add_columns())
