"""Shared by the PostgreSQL tests: the server under test, settings, fixtures with a fresh table, and entries.

A test module binds the fixtures it uses: `table = postgres_helpers.table`.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from helpers import PATIENCE, make_entry
from pydantic import SecretStr

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination, PostgresSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DSN = os.environ.get("TEST_POSTGRES_DSN", "postgresql://mcp_logs@localhost:5432/mcp_logs")
SECRET = "s3cret"


def make_settings(dsn: str = DSN, **values: Any) -> PostgresSettings:
    """Return settings for a URL, without retention."""
    return PostgresSettings(**{"postgres_dsn": SecretStr(dsn), "log_retention_days": 0, **values})


@pytest.fixture(autouse=True)
def no_libpq_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the environment variables of libpq."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def admin() -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Connect to the server as a superuser."""
    try:
        connection = await asyncpg.connect(DSN, timeout=PATIENCE)
    except (OSError, asyncpg.PostgresError) as error:
        pytest.fail(f"PostgreSQL does not answer ({error}): run `docker compose up -d`, or set TEST_POSTGRES_DSN.")
    yield connection
    await connection.close()


@pytest.fixture
async def table(admin: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[str]:
    """Return the name of a table that does not exist; drop it afterwards."""
    name = f"Logs_{secrets.token_hex(6)}"
    yield name
    await admin.execute(f'DROP TABLE IF EXISTS "{name}"')


@pytest.fixture
async def role(admin: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[tuple[str, str]]:
    """Create a role that may only log in, and return its name and password; drop it afterwards."""
    name, password = f"role_{secrets.token_hex(4)}", secrets.token_hex(8)
    await admin.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    yield name, password
    await admin.execute(f"DROP OWNED BY {name}")
    await admin.execute(f"DROP ROLE {name}")


@pytest.fixture
async def make(table: str) -> AsyncIterator[Callable[..., PostgresDestination]]:
    """Return a function that builds destinations for the table; close them afterwards."""
    built = list[PostgresDestination]()

    def build(dsn: str = DSN, **values: Any) -> PostgresDestination:
        built.append(PostgresDestination(make_settings(dsn, **{"postgres_table": table, **values})))
        return built[-1]

    yield build
    for destination in built:
        await destination.close()


async def count_rows(admin: asyncpg.Connection[asyncpg.Record], table: str) -> int:
    """Return the number of rows in a table."""
    return int(await admin.fetchval(f'SELECT count(*) FROM "{table}"'))


def with_option(option: str) -> str:
    """Return the DSN with one more option."""
    return f"{DSN}{'&' if '?' in DSN else '?'}{option}"


def with_user(user: str, password: str) -> str:
    """Return the DSN with another user and password."""
    parts = urlsplit(DSN)
    return parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


def unique_entry(message: str, **values: Any) -> Any:
    """Return an entry with a new correlation id."""
    return make_entry(message, correlation_id=secrets.token_hex(8), **values)
