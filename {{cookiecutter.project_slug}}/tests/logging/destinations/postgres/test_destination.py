"""The PostgreSQL destination without a server."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import urlsplit

import pytest
from helpers import PATIENCE, make_entry, require_backend

from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

from . import postgres_helpers
from .postgres_helpers import DSN, make_settings

no_libpq_variables = postgres_helpers.no_libpq_variables


def make_destination(unique: str) -> PostgresDestination:
    """Return an unopened destination with a fresh table, for the contract suite."""
    address = urlsplit(DSN)
    host, port = address.hostname or "localhost", address.port or 5432
    sentence = f"PostgreSQL does not answer at {host}:{port}: run `docker compose up -d`, or set TEST_POSTGRES_DSN."
    require_backend(host, port, sentence)
    return PostgresDestination(make_settings(postgres_table=f"contract_{unique}"))


async def test_an_unopened_destination_can_be_closed_twice() -> None:
    """`close` is safe without `open`."""
    destination = PostgresDestination(make_settings())
    await destination.close()
    await destination.close()


async def test_a_server_that_never_answers_does_not_block_cancellation_or_close() -> None:
    """A pending write can be cancelled, and `close` returns at once."""
    release = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        destination = PostgresDestination(make_settings(f"postgresql://user@127.0.0.1:{port}/logs"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(destination.write(make_entry()), 0.2)
        await asyncio.wait_for(destination.close(), PATIENCE)
        release.set()


async def test_an_unreachable_server_is_a_temporary_failure() -> None:
    """The message names the server, the reason and the setting."""
    destination = PostgresDestination(make_settings("postgresql://user@127.0.0.1:1/logs"))
    sentence = (
        "could not connect to PostgreSQL at 127.0.0.1:1, connection refused; is it running, is POSTGRES_DSN right?"
    )
    with pytest.raises(DeliveryError, match=f"^{re.escape(sentence)}$") as caught:
        await destination.write(make_entry())
    assert type(caught.value) is DeliveryError
    await destination.close()
