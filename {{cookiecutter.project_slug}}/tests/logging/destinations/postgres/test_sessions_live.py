"""A session with a fault is replaced after one failed attempt: it is never used again until it happens to recover."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest
from helpers import eventually

from {{cookiecutter.project_slug}}.logging.destinations import BufferedDestination, RetryWrapper
from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError

from . import postgres_helpers
from .postgres_helpers import count_rows, unique_entry, with_user

if TYPE_CHECKING:
    from collections.abc import Callable

no_libpq_variables = postgres_helpers.no_libpq_variables
admin, table, make, role = (
    postgres_helpers.admin,
    postgres_helpers.table,
    postgres_helpers.make,
    postgres_helpers.role,
)


async def run_in_sessions(destination: PostgresDestination, statement: str, *, sessions: int = 1) -> None:
    """Run a statement in the sessions of a destination, whether it fails or not."""
    borrowed = asyncio.Barrier(sessions)

    async def run() -> None:
        async with destination.client.connection() as connection:
            await borrowed.wait()
            with suppress(asyncpg.PostgresError):
                await connection.execute(statement)

    await asyncio.gather(*(run() for _ in range(sessions)))


@pytest.fixture
async def dsn_of_role(admin: asyncpg.Connection[asyncpg.Record], role: tuple[str, str]) -> str:
    """Return the DSN of a role that may create tables."""
    await admin.execute(f"GRANT CREATE ON SCHEMA public TO {role[0]}")
    return with_user(*role)


@pytest.mark.integration
@pytest.mark.parametrize("hosts", [1, 2])
async def test_entries_arrive_within_10_s_after_a_role_is_no_longer_read_only(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    make: Callable[..., PostgresDestination],
    role: tuple[str, str],
    dsn_of_role: str,
    hosts: int,
) -> None:
    """As after a failover, both sessions have become read-only too; no entry is dropped or counted as rejected."""
    address = urlsplit(dsn_of_role).netloc.rpartition("@")[2]
    destination = make(dsn_of_role.replace(address, ",".join([address] * hosts)))
    buffer = BufferedDestination(RetryWrapper(destination), capacity=1_000)
    await buffer.open()
    buffer.put(unique_entry("before"))
    assert await buffer.flush()

    await run_in_sessions(destination, "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", sessions=2)
    await admin.execute(f"ALTER ROLE {role[0]} SET default_transaction_read_only = on")
    for number in range(1_000):
        buffer.put(unique_entry(str(number)))
    assert not await buffer.flush()
    assert not await buffer.flush()
    await admin.execute(f"ALTER ROLE {role[0]} RESET default_transaction_read_only")
    await eventually(lambda: buffer.counters.written == 1_001, timeout=10)
    await buffer.close()
    assert await count_rows(admin, table) == 1_001
    assert (buffer.counters.dropped, buffer.counters.failed) == (0, 0)


@pytest.mark.integration
@pytest.mark.parametrize(
    "statement",
    [
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET default_transaction_read_only = on",
        "SET ROLE {role}",
        "SET SESSION AUTHORIZATION {role}",
        "SET search_path TO pg_temp",
        "SET statement_timeout = 1",
        "SET idle_session_timeout = 1",
        "BEGIN; SELECT 1 / 0",
        "BEGIN READ ONLY",
        "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 1",
        "SET transaction_timeout = 1; BEGIN",
        "DISCARD ALL",
        "DEALLOCATE ALL",
        "SELECT pg_terminate_backend(pg_backend_pid())",
    ],
)
async def test_a_fault_of_the_sessions_costs_at_most_one_attempt(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    make: Callable[..., PostgresDestination],
    role: tuple[str, str],
    statement: str,
) -> None:
    """The second attempt uses a new session, whatever has become of the others; queries do so too."""
    destination = make()
    await destination.write(unique_entry("before"))
    await run_in_sessions(destination, statement.format(role=role[0]), sessions=2)
    entries = [unique_entry(str(number)) for number in range(500)]
    with suppress(DeliveryError):
        await destination.write_batch(entries)
    _, found = await asyncio.gather(destination.write_batch(entries), destination.query(limit=1_000))
    assert await count_rows(admin, table) == 501
    assert len(found) in (1, 501)


@pytest.mark.integration
async def test_a_busy_session_is_replaced(
    admin: asyncpg.Connection[asyncpg.Record], table: str, make: Callable[..., PostgresDestination]
) -> None:
    """The driver rejects a second operation while one is in progress."""
    destination = make()
    await destination.write(unique_entry("before"))
    async with destination.client.connection() as connection:
        forgotten = asyncio.create_task(connection.execute("SELECT pg_sleep(3600)"))
        await asyncio.sleep(0)
    with suppress(DeliveryError):
        await destination.write(unique_entry("first"))
    await destination.write(unique_entry("second"))
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
        await forgotten
    assert await count_rows(admin, table) >= 2


@pytest.mark.integration
async def test_a_revoked_permission_is_not_the_fault_of_a_session(
    admin: asyncpg.Connection[asyncpg.Record],
    table: str,
    make: Callable[..., PostgresDestination],
    role: tuple[str, str],
    dsn_of_role: str,
) -> None:
    """A new session is denied too, so the entries are rejected; a GRANT is enough for the next ones."""
    await make().open()
    await admin.execute(f'GRANT INSERT, SELECT ON "{table}" TO {role[0]}')
    destination = make(dsn_of_role)
    await destination.write(unique_entry("before"))
    await admin.execute(f'REVOKE INSERT ON "{table}" FROM {role[0]}')
    with pytest.raises(AccessError, match="denies a permission"):
        await destination.write(unique_entry("denied"))
    await admin.execute(f'GRANT INSERT ON "{table}" TO {role[0]}')
    await destination.write(unique_entry("after"))
    assert await count_rows(admin, table) == 2
