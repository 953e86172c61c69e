"""PostgreSQL behind a network that gets slow, cuts replies, or leads elsewhere, once a session exists."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from tests.faults.exits import until_open
from tests.faults.proxy import Mode, Proxy
from tests.faults.servers import StdioServer, until

from .targets import PostgresTarget, unique

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backends import Postgres
    from tests.faults.project import Project

pytestmark = pytest.mark.anyio
LINES = 2_000
SOON = {"LOG_WRITE_TIMEOUT_MS": "1000"}
"""A write timeout that lets an attempt fail during a test whose reply was cut."""


async def test_a_session_that_becomes_slow_loses_and_doubles_nothing(
    probed: Project, postgres: Postgres, tmp_path: Path
) -> None:
    """200 ms more each way, with the default settings: the session lives on, and everything arrives."""
    async with Proxy(postgres.port) as proxy:
        target, text = _behind(proxy, postgres, "127.0.0.1"), unique()
        async with StdioServer(probed, tmp_path, **target.alone) as server:
            await until_open(server, "postgres")
            connections = proxy.accepted
            proxy.mode = Mode.SLOW
            await server.call("say", count=LINES, text=text)
            await _until_arrived(server, target, text)
            assert proxy.accepted == connections


@pytest.mark.parametrize("is_committed", [False, True], ids=["nothing committed", "committed unseen"])
async def test_a_session_whose_replies_are_cut_loses_and_doubles_nothing(
    probed: Project, postgres: Postgres, tmp_path: Path, *, is_committed: bool
) -> None:
    """One byte of a reply and no more, before the rows are sent or after: what is there is not written again."""
    async with Proxy(postgres.port) as proxy:
        target, text = _behind(proxy, postgres, "127.0.0.1"), unique()
        async with StdioServer(probed, tmp_path, **target.alone, **SOON) as server:
            await until_open(server, "postgres")
            connections = proxy.accepted
            proxy.mode, proxy.trap = (Mode.FORWARD, text.encode()) if is_committed else (Mode.HALF, None)
            await server.call("say", count=LINES, text=text)
            await until(lambda: proxy.accepted > connections, "the driver has given the session up")
            there = await anyio.to_thread.run_sync(partial(target.find, text, "message"))
            assert bool(there) is is_committed
            assert (await server.counters("postgres"))["written"] < LINES
            proxy.trap = None
            await proxy.switch(Mode.FORWARD)
            await _until_arrived(server, target, text)


async def test_a_server_that_returns_on_another_address_is_found(
    probed: Project, postgres: Postgres, tmp_path: Path
) -> None:
    """The name in the DSN is looked up again: the same name means 127.0.0.2 after a while."""
    addresses = tmp_path / "address"
    addresses.write_text("127.0.0.1", encoding="ascii")
    async with Proxy(postgres.port) as proxy:
        target, before, after = _behind(proxy, postgres, "localhost"), unique(), unique()
        settings = {**target.alone, **SOON, "PLANTED_ADDRESS": str(addresses)}
        async with StdioServer(probed, tmp_path / "server", **settings) as server:
            await server.call("say", count=LINES, text=before)
            await _until_arrived(server, target, before)
            addresses.write_text("127.0.0.2", encoding="ascii")
            await proxy.switch(Mode.FORWARD, host="127.0.0.2")
            await server.call("say", count=LINES, text=after)
            await _until_arrived(server, target, after)


def _behind(proxy: Proxy, postgres: Postgres, host: str) -> PostgresTarget:
    """Return a table that is written to through the proxy, and read directly."""
    target = PostgresTarget(postgres)
    user = f"{postgres.username}:{postgres.password}"
    target.settings["POSTGRES_DSN"] = f"postgresql://{user}@{host}:{proxy.port}/{postgres.database}?sslmode=disable"
    return target


async def _until_arrived(server: StdioServer, target: PostgresTarget, text: str) -> None:
    """Wait until what was logged is written, and check that every line is in the table, once."""
    logged = await server.counters("postgres")

    async def is_written() -> bool:
        return bool((await server.counters("postgres"))["written"] >= logged["accepted"])

    await until(is_written, "everything is written")
    counters = await server.counters("postgres")
    assert counters["dropped"] == counters["failed"] == 0, counters
    arrived = await anyio.to_thread.run_sync(partial(target.find, text, "message"))
    assert sorted(arrived) == sorted((f"{text} {number}",) for number in range(LINES))
