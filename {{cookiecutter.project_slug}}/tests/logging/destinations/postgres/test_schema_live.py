"""The table on a real PostgreSQL server: created once, kept small, and never changed if it is not ours."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.destinations.postgres.schema import RETENTION_CHUNK
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError

from . import postgres_helpers
from .postgres_helpers import DSN, count_rows, make_settings, unique_entry

if TYPE_CHECKING:
    from collections.abc import Callable

no_libpq_variables = postgres_helpers.no_libpq_variables
admin, table, make = postgres_helpers.admin, postgres_helpers.table, postgres_helpers.make

CREATE_TABLE = Path(__file__).with_name("fixtures") / "create_table.py"


@pytest.mark.integration
async def test_columns_have_the_names_of_the_fields(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Queries by other programs rely on the names and types."""
    await make().open()
    columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = $1"
    rows = await admin.fetch(f"{columns} ORDER BY ordinal_position", table)
    kinds = {row["column_name"]: row["data_type"] for row in rows}
    assert tuple(kinds) == FIELD_NAMES
    special = {name: kind for name, kind in kinds.items() if kind != "text"}
    assert special == {
        "timestamp": "timestamp with time zone",
        "duration_ms": "double precision",
        "line": "bigint",
        "process_id": "bigint",
        "input_size": "bigint",
        "output_size": "bigint",
        "input_args": "jsonb",
        "extra_data": "jsonb",
    }


@pytest.mark.integration
async def test_two_processes_create_the_table_at_the_same_time(
    admin: asyncpg.Connection[asyncpg.Record], table: str
) -> None:
    """With CREATE TABLE IF NOT EXISTS alone, one of them would fail."""
    environment = {**os.environ, "POSTGRES_DSN": DSN, "POSTGRES_TABLE": table}
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, str(CREATE_TABLE), stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert await count_rows(admin, table) == 0


@pytest.mark.integration
async def test_destinations_create_schema_and_tables_at_the_same_time(
    admin: asyncpg.Connection[asyncpg.Record],
) -> None:
    """Six share each of two tables, and all share the schema."""
    schema = f"audit_{secrets.token_hex(4)}"
    tables = [f"{schema}.{name}" for name in ("logs", "Logs") for _ in range(6)]
    destinations = [PostgresDestination(make_settings(postgres_table=table)) for table in tables]
    try:
        await asyncio.gather(*(destination.write(unique_entry("x")) for destination in destinations))
        assert len(await destinations[0].query()) == 6
        assert len(await destinations[-1].query()) == 6
    finally:
        await asyncio.gather(*(destination.close() for destination in destinations))
        await admin.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.mark.integration
async def test_a_table_name_of_maximum_length_works(
    admin: asyncpg.Connection[asyncpg.Record], make: Callable[..., PostgresDestination]
) -> None:
    """The server shortens the names of its indexes."""
    name = secrets.token_hex(32).replace("0", "x")[:63]
    name = f"t{name[1:]}"
    destination = make(postgres_table=name)
    await destination.write(unique_entry("x"))
    assert await count_rows(admin, name) == 1
    await admin.execute(f'DROP TABLE "{name}"')


@pytest.mark.integration
async def test_a_dropped_table_is_created_again(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """The next write creates it; a query returns nothing and does not create it."""
    destination = make()
    assert await destination.query() == []
    assert await admin.fetchval("SELECT to_regclass($1)", f'"{table}"') is None
    await destination.write(unique_entry("before"))
    await admin.execute(f'DROP TABLE "{table}"')
    assert await destination.query() == []
    await destination.write(unique_entry("after"))
    assert [entry.message for entry in await destination.query()] == ["after"]


@pytest.mark.integration
async def test_entries_past_retention_are_deleted_in_chunks(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Each write deletes one chunk until none is left; the next deletion is an hour later."""
    old = datetime.now(UTC) - timedelta(days=8)
    await make().write_batch([unique_entry("old", timestamp=old) for _ in range(RETENTION_CHUNK + 10)])
    destination = make(log_retention_days=7)
    for left in (10, 0):
        await destination.write(unique_entry("new"))
        assert await admin.fetchval(f'SELECT count(*) FROM "{table}" WHERE timestamp = $1', old) == left
    await destination.write(unique_entry("late", timestamp=old))
    assert await admin.fetchval(f'SELECT count(*) FROM "{table}" WHERE timestamp = $1', old) == 1


@pytest.mark.integration
async def test_a_table_with_a_newer_schema_version_is_rejected(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """The message names the table and the setting."""
    await admin.execute(f'CREATE TABLE "{table}" (x int)')
    await admin.execute(f"COMMENT ON TABLE \"{table}\" IS 'Log entries, schema version 2'")
    with pytest.raises(AccessError, match=rf'^The table "{table}" has schema version 2, .* POSTGRES_TABLE$'):
        await make().write(unique_entry("x"))


@pytest.mark.integration
async def test_a_table_with_other_columns_is_a_temporary_failure(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Entries wait, because the owner of the table can fix it; the table is not changed."""
    await admin.execute(f'CREATE TABLE "{table}" (x int)')
    with pytest.raises(DeliveryError, match=r"^PostgreSQL at .*: column .* does not exist$") as caught:
        await make().write(unique_entry("x"))
    assert type(caught.value) is DeliveryError
    columns = "SELECT array_agg(column_name::text) FROM information_schema.columns WHERE table_name = $1"
    assert await admin.fetchval(columns, table) == ["x"]
