"""How a real PostgreSQL server's table comes into being, is kept small, and is left alone where it is not ours."""

from __future__ import annotations

import asyncio
import secrets
import sys
from asyncio.subprocess import PIPE
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.destinations.postgres.schema import EXPIRE_CHUNK
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError

from . import postgres_helpers
from .postgres_helpers import DSN, entry_with, stored

if TYPE_CHECKING:
    from collections.abc import Callable

no_variables = postgres_helpers.no_variables
admin, table, make = postgres_helpers.admin, postgres_helpers.table, postgres_helpers.make

CREATE_IN_A_PROCESS = """
import asyncio, sys
from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination

async def main():
    destination = PostgresDestination(sys.argv[1], table=sys.argv[2])
    sys.stdin.readline()
    await destination.open()
    await destination.close()

print("ready", flush=True)
asyncio.run(main())
"""


@pytest.mark.integration
async def test_columns_bear_the_names_and_types_of_the_fields(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """What SQL on the table relies on."""
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
        "input_args": "jsonb",
        "extra_data": "jsonb",
    }


@pytest.mark.integration
async def test_processes_make_the_table_at_once(admin: asyncpg.Connection[asyncpg.Record], table: str) -> None:
    """CREATE TABLE IF NOT EXISTS alone would fail in one of them."""
    command = (sys.executable, "-c", CREATE_IN_A_PROCESS, DSN, table)
    processes = [await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ends = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [process.returncode for process in processes] == [0, 0], ends
    assert await stored(admin, table) == 0


@pytest.mark.integration
async def test_destinations_make_schema_and_tables_at_once(admin: asyncpg.Connection[asyncpg.Record]) -> None:
    """Also where they share no more than the schema."""
    schema = f"audit_{secrets.token_hex(4)}"
    destinations = [PostgresDestination(DSN, table=f"{schema}.{name}") for name in ("logs", "Logs") for _ in range(6)]
    try:
        await asyncio.gather(*(destination.write(entry_with("x")) for destination in destinations))
        assert len(await destinations[0].query()) == 6
        assert len(await destinations[-1].query()) == 6
    finally:
        await asyncio.gather(*(destination.close() for destination in destinations))
        await admin.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


@pytest.mark.integration
async def test_a_name_of_full_length_works(
    admin: asyncpg.Connection[asyncpg.Record], make: Callable[..., PostgresDestination]
) -> None:
    """Names of indexes are found for it by the server."""
    name = secrets.token_hex(32).replace("0", "x")[:63]
    name = f"t{name[1:]}"
    destination = make(table=name)
    await destination.write(entry_with("x"))
    assert await stored(admin, name) == 1
    await admin.execute(f'DROP TABLE "{name}"')


@pytest.mark.integration
async def test_a_table_that_was_dropped_is_made_again(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Within the same write; a query finds nothing and makes nothing."""
    destination = make()
    assert await destination.query() == []
    await destination.write(entry_with("before"))
    await admin.execute(f'DROP TABLE "{table}"')
    assert await destination.query() == []
    await destination.write(entry_with("after"))
    assert [entry.message for entry in await destination.query()] == ["after"]


@pytest.mark.integration
async def test_entries_past_retention_are_deleted_in_chunks(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """A chunk with each write until none is left, then not again for an hour."""
    old = datetime.now(UTC) - timedelta(days=8)
    await make().write_batch([entry_with("old", timestamp=old) for _ in range(EXPIRE_CHUNK + 10)])
    destination = make(retention_days=7)
    for left in (10, 0):
        await destination.write(entry_with("new"))
        assert await admin.fetchval(f'SELECT count(*) FROM "{table}" WHERE timestamp = $1', old) == left
    await destination.write(entry_with("late", timestamp=old))
    assert await admin.fetchval(f'SELECT count(*) FROM "{table}" WHERE timestamp = $1', old) == 1


@pytest.mark.integration
async def test_a_schema_of_a_later_version_is_left_alone(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """The sentence names the table and the setting."""
    await admin.execute(f'CREATE TABLE "{table}" (x int)')
    await admin.execute(f"COMMENT ON TABLE \"{table}\" IS 'Log entries, schema version 2'")
    with pytest.raises(AccessError, match=rf'^The table "{table}" has schema version 2, .* POSTGRES_TABLE$'):
        await make().write(entry_with("x"))


@pytest.mark.integration
async def test_a_table_of_another_kind_is_named(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Entries wait: whoever owns the table can mend it."""
    await admin.execute(f'CREATE TABLE "{table}" (x int)')
    with pytest.raises(DeliveryError, match=r"^PostgreSQL at .*: column .* does not exist$") as caught:
        await make().write(entry_with("x"))
    assert type(caught.value) is DeliveryError
