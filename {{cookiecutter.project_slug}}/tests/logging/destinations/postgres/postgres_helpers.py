"""What PostgreSQL's test modules share: the server under test, fixtures on a table of its own, and entries.

A module takes the fixtures that it needs under their names: `table = postgres_helpers.table`.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from helpers import PATIENCE, make_entry

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

DSN = os.environ.get("TEST_POSTGRES_DSN", "postgresql://postgres:postgres@localhost:5432/postgres")
SECRET = "s3cret"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what libpq reads from the environment out of the tests."""
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def admin() -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Connect to the server as who may do everything."""
    try:
        connection = await asyncpg.connect(DSN, timeout=PATIENCE)
    except (OSError, asyncpg.PostgresError) as error:
        pytest.fail(f"PostgreSQL does not answer ({error}): run `docker compose up -d`, or set TEST_POSTGRES_DSN.")
    yield connection
    await connection.close()


@pytest.fixture
async def table(admin: asyncpg.Connection[asyncpg.Record]) -> AsyncIterator[str]:
    """Return the name of a table that is not there, and drop it afterwards."""
    name = f"Logs_{secrets.token_hex(6)}"
    yield name
    await admin.execute(f'DROP TABLE IF EXISTS "{name}"')


@pytest.fixture
async def make(table: str) -> AsyncIterator[Callable[..., PostgresDestination]]:
    """Return what makes destinations on the table, and close them afterwards."""
    made = list[PostgresDestination]()

    def build(dsn: str = DSN, **settings: Any) -> PostgresDestination:
        made.append(PostgresDestination(dsn, **{"table": table, **settings}))
        return made[-1]

    yield build
    for destination in made:
        await destination.close()


async def stored(admin: asyncpg.Connection[asyncpg.Record], table: str) -> int:
    """Count the rows of a table."""
    return int(await admin.fetchval(f'SELECT count(*) FROM "{table}"'))


def with_option(option: str) -> str:
    """Return the DSN with one more option."""
    return f"{DSN}{'&' if '?' in DSN else '?'}{option}"


def with_user(user: str, password: str) -> str:
    """Return the DSN with another user and password."""
    parts = urlsplit(DSN)
    return parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}").geturl()


def entry_with(message: str, **values: Any) -> Any:
    """Return an entry that none of the others resembles."""
    return make_entry(message, correlation_id=secrets.token_hex(8), **values)
