"""Backends that fail in every way a network knows: no tool notices, SQLite has everything, the counters add up."""

from __future__ import annotations

import signal
import ssl
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.support.exits import DRAIN, TEARDOWN
from tests.support.http_stub import GARBAGE, PAGE, Failure, HttpStub
from tests.support.measure import check_unharmed
from tests.support.proxy import Mode, Proxy
from tests.support.servers import HttpServer, Server, StdioServer, until
from tests.support.settings import NAMES, every_backend, faulty, http_backends

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

pytestmark = pytest.mark.anyio
HTTP_NAMES = ("elasticsearch", "convex")
LINES = 500
EXIT_LINES = 2_000
SOON = {"LOG_WRITE_TIMEOUT_MS": "1000"}
"""A write timeout that lets several attempts fail during a test."""

DRIVERS = 60.0
"""Megabytes that a server may grow by while four drivers are imported; what waits is bounded by `test_bounds.py`."""

EXITS: dict[str, tuple[type[StdioServer | HttpServer], signal.Signals | None, int]] = {
    "stdio-EOF": (StdioServer, None, 0),
    "stdio-SIGTERM": (StdioServer, signal.SIGTERM, 128 + signal.SIGTERM),
    "http-SIGTERM": (HttpServer, signal.SIGTERM, 128 + signal.SIGTERM),
}
ANSWERS = {
    "500": Failure(500),
    "429": Failure(429, ("Retry-After: 1",)),
    "garbage": GARBAGE,
    "page": PAGE,
    "401": Failure(401),
    "400": Failure(400),
    "400 to entries": Failure(400, entries_only=True),
}


async def check_everything(server: Server, against: Server, *, calls: int = 500) -> list[str]:
    """Check that tools, event loop and memory are unharmed, and SQLite has every line; return what they begin with."""
    rounds = await check_unharmed(
        server, against, lambda text: server.call("say", count=LINES, text=text), calls=calls, megabytes=DRIVERS
    )
    for text in rounds:
        await until(partial(_is_stored, server, text), f"SQLite has every line of {text}")
    return rounds


@pytest.mark.alone
@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.HANG, Mode.DEAF, Mode.RESET, Mode.GARBAGE])
async def test_backends_that_cannot_be_spoken_to_harm_no_tool(
    project: Project, folder: Path, bare: StdioServer, mode: Mode
) -> None:
    """Four destinations whose backends refuse, hang, reset or talk nonsense: everything waits, and is counted."""
    async with (
        Proxy(mode=mode) as proxy,
        StdioServer(project, folder / "server", **every_backend(proxy.port), **SOON) as server,
    ):
        await check_everything(server, bare)
        for name in NAMES:
            counters = await server.counters(name)
            assert counters["written"] == 0, counters
            assert counters["accepted"] >= LINES
            assert counters["last_error"] or mode in (Mode.HANG, Mode.DEAF), counters


@pytest.mark.alone
@pytest.mark.parametrize("answer", ANSWERS)
async def test_backends_that_answer_with_errors_harm_no_tool(
    project: Project, folder: Path, bare: StdioServer, answer: str
) -> None:
    """What is told to come again waits; what is refused for good counts as failed; neither touches a tool.

    Where opening is answered by 400 no entry is refused: none was sent.
    """
    async with (
        HttpStub(failure=ANSWERS[answer]) as stub,
        StdioServer(project, folder / "server", **http_backends(stub.port), **SOON) as server,
    ):
        await check_everything(server, bare)
        for name in HTTP_NAMES:
            counters = await server.counters(name)
            assert counters["written"] == 0, counters
            assert counters["last_error"], counters
            assert bool(counters["failed"]) == (answer in ("400 to entries", "401")), counters


@pytest.mark.alone
async def test_a_certificate_nobody_trusts_harms_no_tool_and_is_never_accepted(
    project: Project, folder: Path, bare: StdioServer
) -> None:
    """Nothing is written over a connection whose other end is not who it should be."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    async with (
        HttpStub(tls=tls) as stub,
        StdioServer(project, folder / "server", **every_backend(stub.port, scheme="https"), **SOON) as server,
    ):
        await check_everything(server, bare)
        for name in NAMES:
            assert (await server.counters(name))["written"] == 0
    assert not stub.requests


@pytest.mark.alone
@pytest.mark.parametrize("mode", [Mode.SLOW, Mode.HALF, Mode.TRICKLE])
async def test_backends_whose_replies_are_slow_or_cut_harm_no_tool(
    project: Project, folder: Path, bare: StdioServer, mode: Mode
) -> None:
    """200 ms more each way, half a reply, one byte a second: tools are as fast as ever, and all arrives in the end."""
    async with (
        HttpStub() as stub,
        Proxy(stub.port, mode=mode) as proxy,
        StdioServer(project, folder / "server", **http_backends(proxy.port), **SOON) as server,
    ):
        rounds = await check_everything(server, bare)
        if mode is not Mode.SLOW:
            await proxy.switch(Mode.FORWARD)
        for text in rounds:
            await until_arrived(server, stub, text)


async def test_what_waited_arrives_when_the_backend_comes_back(project: Project, folder: Path) -> None:
    """A backend that is down at start, comes, dies in mid-batch and returns gets every line, without a restart."""
    async with (
        HttpStub() as stub,
        Proxy(stub.port, mode=Mode.REFUSE) as proxy,
        StdioServer(project, folder / "server", **http_backends(proxy.port), **SOON) as server,
    ):
        for number, mode in enumerate((Mode.FORWARD, Mode.HALF, Mode.REFUSE, Mode.RESET, Mode.FORWARD)):
            await server.call("say", count=LINES, text=f"round-{number}")
            await proxy.switch(mode)
        for number in range(5):
            await until_arrived(server, stub, f"round-{number}")


async def test_a_backend_that_returns_on_another_address_is_found(project: Project, folder: Path) -> None:
    """The name is looked up again: the same name means 127.0.0.2 after a while."""
    addresses = folder / "address"
    addresses.write_text("127.0.0.1", encoding="ascii")
    async with AsyncExitStack() as stack:
        stub = await stack.enter_async_context(HttpStub())
        proxy = await stack.enter_async_context(Proxy(stub.port))
        settings = {**http_backends(proxy.port, host="localhost"), **SOON, "PROBE_ADDRESS": str(addresses)}
        server = await stack.enter_async_context(StdioServer(project, folder / "server", **settings))
        await server.call("say", count=LINES, text="before")
        await until_arrived(server, stub, "before")
        addresses.write_text("127.0.0.2", encoding="ascii")
        await proxy.switch(Mode.FORWARD, host="127.0.0.2")
        await server.call("say", count=LINES, text="after")
        await until_arrived(server, stub, "after")


@pytest.mark.alone
async def test_tools_over_http_are_as_fast_with_every_backend_hanging(
    project: Project, folder: Path, bare_http: HttpServer
) -> None:
    """The promise holds for the other transport, too."""
    async with (
        Proxy(mode=Mode.HANG) as proxy,
        HttpServer(project, folder / "server", **every_backend(proxy.port), **SOON) as server,
    ):
        await check_everything(server, bare_http, calls=400)


@pytest.mark.alone
@pytest.mark.parametrize("how", EXITS)
@pytest.mark.parametrize("mode", [Mode.HANG, Mode.DEAF, Mode.HALF])
async def test_backends_that_hang_delay_an_exit_by_the_deadline_at_most(
    project: Project, folder: Path, mode: Mode, how: str
) -> None:
    """Four drivers in the middle of their handshakes: SQLite has 2,000 of 2,000 lines, and stderr who has none."""
    kind, number, expected = EXITS[how]
    async with (
        HttpStub() as stub,
        Proxy(stub.port, mode=mode) as proxy,
        kind(project, folder, **every_backend(proxy.port)) as server,
    ):
        await until(lambda: proxy.accepted >= len(NAMES), "every driver has connected")
        await server.call("say", count=EXIT_LINES)
        code, seconds = await server.end(number)
    assert code == expected
    assert seconds <= DRAIN + TEARDOWN
    assert server.lines() == EXIT_LINES, server.stderr_text()[-2_000:]
    for name in NAMES:
        assert f" {name}: written 0, " in server.stderr_text()


@pytest.mark.alone
@pytest.mark.parametrize("kind", ["Raising", "Cancelling", "Leaving", "Clinging", "InExecutor", "Blocking"])
async def test_a_destination_that_misbehaves_in_python_harms_neither_tools_nor_other_destinations(
    project: Project, folder: Path, bare: StdioServer, kind: str
) -> None:
    """It raises, raises CancelledError or SystemExit, cannot be cancelled, or blocks a worker thread or its own."""
    async with StdioServer(project, folder / "server", **faulty(kind), **SOON) as server:
        await check_everything(server, bare)
        if kind in ("Cancelling", "Leaving"):
            await until_written(server, kind.lower())


def _is_stored(server: Server, text: str) -> bool:
    return server.lines(text) == LINES


def _has_lines(stub: HttpStub, name: str, text: str) -> bool:
    return stub.lines(name, text) == LINES


async def until_arrived(server: Server, stub: HttpStub, text: str) -> None:
    """Wait until every line has reached both backends, and check that nothing was given up on the way."""
    for name in HTTP_NAMES:
        await until(partial(_has_lines, stub, name, text), f"{name} has every {text}", deadline=60)
        counters = await server.counters(name)
        assert counters["dropped"] == counters["failed"] == 0, counters


async def until_written(server: Server, name: str) -> None:
    """Wait until a destination that failed at first has what was logged."""

    async def is_written() -> bool:
        counters = await server.counters(name)
        assert counters["dropped"] == counters["failed"] == 0, counters
        return bool(counters["written"] >= LINES)

    await until(is_written, f"{name} has written")
