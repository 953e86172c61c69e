"""A table of the first schema on a real server: its owner gets the new columns, and others work without them."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from helpers import PATIENCE, make_entry

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES, SCHEMA_1_FIELDS, with_extra_data
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

from . import postgres_helpers
from .postgres_helpers import count_rows, make_settings, unique_entry, with_option, with_user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from {{cookiecutter.project_slug}}.logging.entry import LogEntry

no_libpq_variables = postgres_helpers.no_libpq_variables
admin, table, make, role = (
    postgres_helpers.admin,
    postgres_helpers.table,
    postgres_helpers.make,
    postgres_helpers.role,
)

SCHEMA_1 = (Path(__file__).with_name("fixtures") / "schema_1.sql").read_text("utf-8")


def new_entry(message: str = "new") -> LogEntry:
    """Return the entry of a call with a value in every new field."""
    return unique_entry(
        message,
        log_type="tool_execution",
        tool_name="add",
        duration_ms=2.5,
        extra_data={"own": 1},
        method="tools/call",
        target="add",
        client_address="127.0.0.1",
        parent_span_id="b7ad6b7169203331",
        input_size=2**40,
        output_size=3,
        traceback="Traceback ...",
    )


async def columns_of(admin: asyncpg.Connection[asyncpg.Record], table: str) -> tuple[str, ...]:
    """Return the names of a table's columns, in order."""
    query = "SELECT column_name::text FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position"
    return tuple(row[0] for row in await admin.fetch(query, table))


@pytest.fixture
async def old(admin: asyncpg.Connection[asyncpg.Record], table: str) -> str:
    """Create the table as an old project did, with one entry, and return the statement that stores another."""
    await admin.execute(SCHEMA_1.replace('"mcp_logs"', f'"{table}"'))
    insert = f"INSERT INTO \"{table}\" (entry_id, timestamp, level, message) VALUES ($1, now(), 'INFO', 'old')"
    await admin.execute(insert, "first")
    return insert


@pytest.fixture
def grant(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    old: str,
    role: tuple[str, str],
    make: Callable[..., PostgresDestination],
) -> Callable[..., Awaitable[PostgresDestination]]:
    """Return a function that grants permissions on the old table to a role, and builds its destination."""

    async def build(permissions: str) -> PostgresDestination:
        await admin.execute(f'GRANT {permissions} ON "{table}" TO {role[0]}')
        return make(with_user(*role))

    return build


@pytest.mark.integration
async def test_the_owner_of_an_old_table_adds_the_columns(
    admin: asyncpg.Connection[asyncpg.Record], table: str, old: str, make: Callable[..., PostgresDestination]
) -> None:
    """Old entries stay, and old servers, which check the version in the comment, write on."""
    entry, destination = new_entry(), make()
    await destination.write(entry)
    assert await columns_of(admin, table) == FIELD_NAMES
    assert await admin.fetchval("SELECT obj_description($1::regclass)", f'"{table}"') == "Log entries, schema version 1"
    await admin.execute(old, "second")
    found = {found.entry_id: found for found in await destination.query()}
    assert found.keys() == {"first", entry.entry_id, "second"}
    assert found[entry.entry_id] == entry
    assert found["second"].method is None


@pytest.mark.integration
async def test_servers_add_the_columns_at_the_same_time(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    old: str,
    make: Callable[..., PostgresDestination],
) -> None:
    """None of them fails, and each stores all fields."""
    destinations = [make() for _ in range(6)]
    await asyncio.gather(*(destination.write(new_entry()) for destination in destinations))
    assert await columns_of(admin, table) == FIELD_NAMES
    assert await admin.fetchval(f'SELECT count(traceback) FROM "{table}"') == 6


@pytest.mark.integration
async def test_a_role_that_may_not_add_columns_stores_the_fields_in_extra_data(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    grant: Callable[..., Awaitable[PostgresDestination]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One warning has the statement for the table's owner; filters on a missing column match nothing."""
    entries = [new_entry(str(number)) for number in range(3)]
    destination = await grant("INSERT, SELECT")
    await destination.write_batch(entries[:1])
    await destination.close()
    await destination.write_batch(entries)
    await destination.write_batch(entries)
    assert await columns_of(admin, table) == SCHEMA_1_FIELDS
    stored = {entry.entry_id: entry for entry in await destination.query(tool_name="add")}
    assert stored == {entry.entry_id: with_extra_data(entry, SCHEMA_1_FIELDS) for entry in entries}
    assert stored[entries[0].entry_id].extra_data["traceback"] == entries[0].traceback
    assert await destination.query(method="tools/call") == []
    assert await destination.query(text="Traceback") == []
    (group,) = (await destination.stats()).groups
    assert (group.calls, group.max_ms, group.output_size) == (3, 2.5, None)
    (warning,) = caplog.messages
    assert re.search(
        rf'does not own the table .*: ALTER TABLE "public"\."{table}" ADD COLUMN .* "traceback" text;$', warning
    )


@pytest.mark.integration
@pytest.mark.parametrize("is_lost", [False, True], ids=["reopened", "connection lost"])
async def test_columns_that_the_owner_adds_are_used_from_the_next_connection_on(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    grant: Callable[..., Awaitable[PostgresDestination]],
    role: tuple[str, str],
    caplog: pytest.LogCaptureFixture,
    is_lost: bool,
) -> None:
    """The statement in the warning works as it is."""
    destination = await grant("INSERT, SELECT")
    await destination.write(new_entry("before"))
    await admin.execute(caplog.messages[0].partition("runs: ")[2])
    if is_lost:
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role[0])
        async with asyncio.timeout(PATIENCE):
            while not await admin.fetchval(f'SELECT count(method) FROM "{table}"'):
                with suppress(DeliveryError):
                    await destination.write(new_entry("after"))
    else:
        await destination.close()
        await destination.write(new_entry("after"))
    assert await admin.fetch(f'SELECT message FROM "{table}" WHERE method IS NOT NULL') == [("after",)]


@pytest.mark.integration
async def test_a_reader_leaves_an_old_table_as_it_is(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    old: str,
    make: Callable[..., PostgresDestination],
    grant: Callable[..., Awaitable[PostgresDestination]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Missing fields are None, for the owner of the table as for a role with nothing but SELECT."""
    await admin.execute(old, "second")
    for destination in (make(), await grant("SELECT")):
        found = await destination.query()
        assert {(entry.entry_id, entry.message, entry.method) for entry in found} == {
            ("first", "old", None),
            ("second", "old", None),
        }
        assert await destination.query(method="tools/call") == []
        assert (await destination.stats()).groups == []
    assert await columns_of(admin, table) == SCHEMA_1_FIELDS
    assert caplog.messages == []


@pytest.mark.integration
async def test_a_table_of_a_newer_project_is_used_as_it_is(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """Columns that this project does not know stay empty."""
    await make().open()
    await admin.execute(f'ALTER TABLE "{table}" ADD COLUMN future text')
    entry, destination = new_entry(), make()
    for _ in range(2):
        await destination.write(entry)
    assert await destination.query() == [entry]
    assert await columns_of(admin, table) == (*FIELD_NAMES, "future")


@pytest.mark.integration
@pytest.mark.parametrize("is_reopened", [True, False], ids=["after reopening", "after an hour"])
async def test_a_table_in_use_does_not_hold_up_delivery(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    old: str,
    make: Callable[..., PostgresDestination],
    is_reopened: bool,
) -> None:
    """Another transaction that keeps a lock, such as a backup, delays only the columns."""
    destination = make()
    async with admin.transaction():
        await admin.execute(f'LOCK TABLE "{table}" IN ACCESS SHARE MODE')
        await destination.write(new_entry("during"))
    assert await columns_of(admin, table) == SCHEMA_1_FIELDS
    if is_reopened:
        await destination.close()
    else:
        destination._stored_table._next_attempt.reset()
    await destination.write(new_entry("after"))
    assert [entry.message for entry in await destination.query(method="tools/call")] == ["after"]
    assert await count_rows(admin, table) == 3


@pytest.fixture
async def schema(admin: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[str]:
    """Create an empty schema; drop it afterwards."""
    name = f"schema_{secrets.token_hex(4)}"
    await admin.execute(f"CREATE SCHEMA {name}")
    yield name
    await admin.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.mark.integration
@pytest.mark.parametrize(
    ("existing", "values", "warnings"),
    [
        (["mcp_logs"], {}, 1),
        ([], {}, 0),
        (["mcp_logs", "unified_logs"], {}, 0),
        (["mcp_logs"], {"postgres_table": "mcp_logs"}, 0),
        (["mcp_logs"], {"postgres_table": "other"}, 0),
    ],
)
async def test_the_former_default_table_is_mentioned_where_the_new_one_does_not_exist(
    admin: asyncpg.Connection[asyncpg.Record],
    schema: str,
    caplog: pytest.LogCaptureFixture,
    existing: list[str],
    values: dict[str, str],
    warnings: int,
) -> None:
    """One line names the setting that keeps the old table in use; the new table is created anyway."""
    for name in existing:
        await admin.execute(SCHEMA_1.replace('"mcp_logs"', f"{schema}.{name}"))
    destination = PostgresDestination(make_settings(with_option(f"search_path={schema}"), **values))
    await destination.query()
    await destination.write(make_entry())
    await destination.close()
    assert await count_rows(admin, f'{schema}"."{destination.table.name}') == 1
    assert len(caplog.messages) == warnings
    assert all(message.endswith("set POSTGRES_TABLE=mcp_logs") for message in caplog.messages)
