"""Backends behind a network that is or gets slow, cuts replies, or leads elsewhere, once a session exists.

Kafka, which knows no ids, may have an entry twice: consumers look at `entry_id`.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from tests.support.exits import until_open
from tests.support.proxy import Mode
from tests.support.servers import StdioServer, until

from .conftest import PRODUCTION
from .targets import Row, Target, unique

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

    from .routes import MakeRoute

pytestmark = pytest.mark.anyio
LINES = 2_000
SOON = {"LOG_WRITE_TIMEOUT_MS": "1000"}
"""A write timeout that lets an attempt fail during a test whose reply was cut."""
LATE = {"LOG_WRITE_TIMEOUT_MS": "20000"}
"""A write timeout that no attempt reaches whose connection breaks."""
DELAY = 0.06
"""Seconds each way: more than LOG_RETRY_DELAY_MS, which is no limit of a write."""

sessions = pytest.mark.parametrize("name", ["kafka", "postgres"])


async def test_backends_that_take_60_ms_get_everything_with_the_default_settings(
    project: Project, make_route: MakeRoute, tmp_path: Path
) -> None:
    """Each at the first attempt, which takes as long as it takes."""
    text, settings = unique(), {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_DESTINATION_TYPE": ",".join(PRODUCTION)}
    async with AsyncExitStack() as stack:
        routes = [await stack.enter_async_context(make_route(name, delay=DELAY)) for name in PRODUCTION]
        for route in routes:
            route.proxy.mode = Mode.SLOW
            settings |= route.target.settings
        server = await stack.enter_async_context(StdioServer(project, tmp_path, **settings))
        await server.call("say", count=LINES, text=text)
        for route in routes:
            await _until_arrived(server, route.target, text)
            counters = await server.counters(route.target.name)
            assert counters["retried"] == 0, counters


@sessions
async def test_a_session_that_becomes_slow_loses_nothing(
    project: Project, make_route: MakeRoute, tmp_path: Path, name: str
) -> None:
    """200 ms more each way, with the default settings: the session lives on, and everything arrives."""
    text = unique()
    async with make_route(name) as route, StdioServer(project, tmp_path, **route.target.alone) as server:
        await until_open(server, name)
        connections = route.proxy.accepted
        route.proxy.mode = Mode.SLOW
        await server.call("say", count=LINES, text=text)
        await _until_arrived(server, route.target, text)
        assert route.proxy.accepted == connections


@pytest.mark.parametrize(
    ("name", "is_stored"),
    [("kafka", True), ("postgres", False), ("postgres", True)],
    ids=["kafka-stored unseen", "postgres-nothing stored", "postgres-stored unseen"],
)
async def test_a_session_whose_replies_are_cut_loses_nothing(
    project: Project, make_route: MakeRoute, tmp_path: Path, name: str, *, is_stored: bool
) -> None:
    """One byte of a reply and no more, before the entries are sent or after: nobody knows what became of them."""
    text = unique()
    async with make_route(name) as route, StdioServer(project, tmp_path, **route.target.alone, **SOON) as server:
        proxy, target = route.proxy, route.target
        await until_open(server, name)
        connections = proxy.accepted
        proxy.mode, proxy.trap = (Mode.FORWARD, text.encode()) if is_stored else (Mode.HALF, None)
        await server.call("say", count=LINES, text=text)
        await until(lambda: proxy.accepted > connections, "the driver has given the session up")
        there = await anyio.to_thread.run_sync(partial(target.find, text, "message"))
        assert bool(there) is is_stored
        assert (await server.counters(name))["written"] < LINES
        proxy.trap = None
        await proxy.switch(Mode.FORWARD)
        await _until_arrived(server, target, text)


@sessions
async def test_a_connection_that_breaks_before_the_reply_loses_and_doubles_nothing(
    project: Project, make_route: MakeRoute, tmp_path: Path, name: str
) -> None:
    """What was stored unseen is known again when it is sent again, in Kafka by its producer's numbers."""
    text = unique()
    async with make_route(name) as route, StdioServer(project, tmp_path, **route.target.alone, **LATE) as server:
        proxy, target = route.proxy, route.target
        await until_open(server, name)
        proxy.trap = text.encode()
        await server.call("say", count=LINES, text=text)
        await until(partial(anyio.to_thread.run_sync, partial(target.find, text, "message")), "something is stored")
        proxy.trap = None
        await proxy.switch(Mode.FORWARD)
        arrived = await _until_arrived(server, target, text)
    assert len(arrived) == LINES


@sessions
async def test_a_backend_that_returns_on_another_address_is_found(
    project: Project, make_route: MakeRoute, tmp_path: Path, name: str
) -> None:
    """The name is looked up again: the same name means 127.0.0.2 after a while."""
    addresses, before, after = tmp_path / "address", unique(), unique()
    addresses.write_text("127.0.0.1", encoding="ascii")
    async with make_route(name) as route:
        settings = {**route.target.alone, **SOON, "PROBE_ADDRESS": str(addresses)}
        async with StdioServer(project, tmp_path / "server", **settings) as server:
            await server.call("say", count=LINES, text=before)
            await _until_arrived(server, route.target, before)
            addresses.write_text("127.0.0.2", encoding="ascii")
            await route.proxy.switch(Mode.FORWARD, host="127.0.0.2")
            await server.call("say", count=LINES, text=after)
            await _until_arrived(server, route.target, after)


async def _until_arrived(server: StdioServer, target: Target, text: str) -> list[Row]:
    """Wait until what was logged is written; check that every line is there: once, or in Kafka once per id."""
    logged = await server.counters(target.name)

    async def is_written() -> bool:
        return bool((await server.counters(target.name))["written"] >= logged["accepted"])

    await until(is_written, f"everything is written to {target.name}")
    counters = await server.counters(target.name)
    assert counters["dropped"] == counters["failed"] == 0, counters
    arrived = await anyio.to_thread.run_sync(partial(target.find, text, "message", "entry_id"))
    once = set(arrived) if target.name == "kafka" else arrived
    assert sorted(message for message, _ in once) == sorted(f"{text} {number}" for number in range(LINES))
    return arrived
