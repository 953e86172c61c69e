"""What hanging destinations hold is bounded, and what they had to let go is counted to the entry."""

from __future__ import annotations

import logging
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.exits import until_open
from tests.support.http_stub import HttpStub
from tests.support.measure import check_lag, check_p99
from tests.support.proxy import Mode, Proxy
from tests.support.servers import StdioServer, until
from tests.support.settings import NAMES, every_backend, faulty, http_backends

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

_logger = logging.getLogger(__name__)

pytestmark = pytest.mark.anyio
CAPACITY = 10_000
BATCH = 500
LARGEST_BATCH = 4_000
"""Entries that a destination may have in flight besides."""
ENTRIES = 1_000_000
STEP = 50_000
MANY = 2 * STEP
FEW = 50
"""Entries of a test's own calls, at most."""
GROWTH = 15.0
"""Megabytes per hanging destination."""


HANGING = {"stderr": (), **{name: (name,) for name in NAMES}, "stderr and four backends": NAMES}


@pytest.mark.parametrize("which", HANGING)
async def test_a_million_entries_for_destinations_that_hang_grow_the_server_by_a_few_megabytes_each(
    project: Project, folder: Path, which: str
) -> None:
    """A stderr nobody reads is one of them; the oldest entries go, and each one that went is counted."""
    names = HANGING[which]
    async with Proxy(mode=Mode.HANG) as proxy:
        settings = {**every_backend(proxy.port), "LOG_DESTINATION_TYPE": ",".join(names)} if names else {}
        level = "INFO" if "stderr" in which else "WARNING"
        server = StdioServer(project, folder, **settings, ENABLE_LOCAL_LOGGING="false", LOG_LEVEL=level)
        server.is_read = "stderr" not in which
        async with server:
            await server.call("emit", count=BATCH)
            await until(lambda: proxy.accepted >= len(names), "the drivers have connected")
            before = (await server.call("state"))["resident"]
            for _ in range(ENTRIES // STEP):
                await server.call("emit", count=STEP)
            growth = (await server.call("state"))["resident"] - before
            _logger.info("%s: grew by %.1f MB", which, growth)
            hanging = (*names, *(() if server.is_read else ("console",)))
            assert growth <= GROWTH * len(hanging), f"{growth:.1f} MB"
            for name in hanging:
                counters = await server.counters(name)
                assert counters["accepted"] >= ENTRIES + BATCH
                assert counters["failed"] == 0
                assert counters["written"] == 0 or name == "console"  # whose pipe has room for the first few
                assert CAPACITY <= counters["queued"] <= CAPACITY + LARGEST_BATCH


async def test_what_arrives_after_a_hang_is_the_newest_and_all_else_was_counted(project: Project, folder: Path) -> None:
    """As many as a buffer holds, each once: which ones is told by their numbers, and how many by the backends."""
    async with HttpStub() as stub, Proxy(stub.port, mode=Mode.HANG) as proxy:
        settings = {**http_backends(proxy.port), "LOG_WRITE_TIMEOUT_MS": "1000", "LOG_LEVEL": "WARNING"}
        async with StdioServer(project, folder, **settings) as server:
            await _overflow(server, *stub.entries)
            for counters in [(await server.all_counters())[name] for name in stub.entries]:
                assert counters["written"] == counters["failed"] == 0, counters
            await proxy.switch(Mode.FORWARD)
            for name, entries in stub.entries.items():
                counters = await _at_rest(server, name)
                assert counters["written"] == len(entries), counters
                _check_newest(list(entries.values()), counters)
                _check_said(server, name)


@pytest.mark.alone
async def test_what_arrives_after_a_lock_is_the_newest_and_all_else_was_counted(project: Project, folder: Path) -> None:
    """The same of a SQLite file that another process locks: memory is bounded, and stderr says that entries go."""
    async with StdioServer(project, folder, LOG_LEVEL="WARNING") as server:
        await until_open(server, "sqlite")
        with closing(sqlite3.connect(server.database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            growth = await _overflow(server, "sqlite")
            assert growth <= GROWTH, f"{growth:.1f} MB"
            other.execute("ROLLBACK")
        counters = await _at_rest(server, "sqlite")
        with closing(sqlite3.connect(server.database)) as reader:
            stored = [message for (message,) in reader.execute("SELECT message FROM unified_logs")]
        assert counters["written"] == len(stored), counters
        _check_newest(stored, counters)
        _check_said(server, "sqlite")


async def _overflow(server: StdioServer, *names: str) -> float:
    """Hand over ten times as many numbered entries as a buffer holds; return by how many megabytes the server grew.

    The batch that was in flight when the buffer was filled is older than what waits. It goes with its next failure;
    from then on what is queued is the newest.
    """
    before = (await server.call("state"))["resident"]
    for first in range(0, MANY, STEP):
        await server.call("emit", count=STEP, first=first)

    async def is_settled() -> bool:
        counters = await server.all_counters()
        return all(CAPACITY <= counters[name]["queued"] <= CAPACITY + FEW for name in names)

    await until(is_settled, "what was in flight at first is given up", interval=0.5)
    growth: float = (await server.call("state"))["resident"] - before
    _logger.info("%s: grew by %.1f MB", ", ".join(names), growth)
    return growth


async def _at_rest(server: StdioServer, name: str) -> dict[str, Any]:
    """Wait until everything but the entry of the question is written, and return the counters."""
    counters: dict[str, Any] = {}

    async def is_at_rest() -> bool:
        counters.update(await server.counters(name))
        return not counters["queued"]

    await until(is_at_rest, f"{name} has written what waited", interval=1)
    return counters


def _check_newest(messages: list[str], counters: dict[str, Any]) -> None:
    """Check that what was emitted arrived from some number on, each once, and that all others count as dropped."""
    arrived = sorted(int(message.removeprefix("emit ")) for message in messages if message.startswith("emit "))
    assert arrived == list(range(MANY - len(arrived), MANY))
    assert CAPACITY - FEW <= len(arrived) <= CAPACITY
    calls = counters["accepted"] - MANY
    calls_arrived = len(messages) - len(arrived)
    assert calls_arrived <= calls <= FEW, counters
    assert counters["dropped"] == (MANY - len(arrived)) + (calls - calls_arrived), counters
    assert counters["failed"] == 0, counters


def _check_said(server: StdioServer, name: str) -> None:
    """Check that stderr says that entries go, and does not go on about it."""
    said = [line for line in server.stderr_text().splitlines() if f" {name}: " in line]
    assert any(re.search(r"buffer of \d+ entries is full|[1-9]\d* dropped so far", line) for line in said), said
    assert len(said) <= 4, said


@pytest.mark.alone
async def test_a_tool_call_is_as_fast_with_every_destination_hanging_and_stderr_never_read(
    project: Project, folder: Path, bare: StdioServer
) -> None:
    """Four drivers wait for backends that never answer, buffers are full, and p99 is as without logging."""
    async with Proxy(mode=Mode.HANG) as proxy:
        server = StdioServer(project, folder / "server", ENABLE_LOCAL_LOGGING="false", **every_backend(proxy.port))
        server.is_read = False
        async with server:
            await server.call("emit", count=2 * CAPACITY)
            await check_p99(server, bare, calls=2_000)
            await check_lag(server, lambda text: server.call("say", count=BATCH, text=text))
            dropped = [(await server.counters(name))["dropped"] for name in ("kafka", "convex", "console")]
            assert min(dropped) >= CAPACITY // 2


async def test_drops_are_said_once_in_a_while(project: Project, folder: Path) -> None:
    """100,000 entries for a destination that fails make a few lines on stderr, not one each."""
    settings = {**faulty("Raising"), "ENABLE_LOCAL_LOGGING": "false", "LOG_LEVEL": "WARNING"}
    async with StdioServer(project, folder, **settings) as server:
        await server.call("emit", count=100_000)
        counters = await server.counters("raising")
        assert counters["dropped"] >= 100_000 - CAPACITY - BATCH
        assert 1 <= server.stderr_text().count("raising: broken on purpose") <= 3


async def test_what_a_tool_prints_blocks_nobody_when_stderr_is_never_read(project: Project, folder: Path) -> None:
    """A megabyte of `print` ends on stderr, whose pipe holds 64 KB."""
    server = StdioServer(project, folder)
    server.is_read = False
    async with server:
        assert await server.call("chatter", lines=1_000) == 1_000
        assert await server.call("echo", text="still here") == "still here"


async def test_what_a_tool_prints_is_shown_on_stderr(project: Project, folder: Path) -> None:
    """Line by line, in order, and not on stdout, which is the protocol's."""
    async with StdioServer(project, folder) as server:
        await server.call("chatter", lines=20)
        await server.end()
        shown = [line.split() for line in server.stderr_text().splitlines() if line.endswith("xxx")]
        assert [int(words[-2]) for words in shown] == list(range(20))
