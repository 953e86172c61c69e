"""What hanging destinations hold is bounded, and what they had to let go is counted to the entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .backends import NAMES, every_backend, planted
from .measure import LAG_LIMIT, best_comparison, worst_lag
from .proxy import Mode, Proxy
from .servers import QUIET, StdioServer, until

if TYPE_CHECKING:
    from pathlib import Path

    from .project import Project

pytestmark = pytest.mark.anyio
CAPACITY = 10_000
BATCH = 500
LARGEST_BATCH = 2_000
"""Entries that a destination may have in flight besides."""
ENTRIES = 1_000_000
STEP = 50_000
GROWTH = 15.0
"""Megabytes per hanging destination."""


@pytest.mark.parametrize("names", [(), NAMES], ids=["stderr", "stderr and four backends"])
async def test_a_million_entries_for_destinations_that_hang_grow_the_server_by_a_few_megabytes_each(
    project: Project, folder: Path, names: tuple[str, ...]
) -> None:
    """A stderr nobody reads is one of them; the oldest entries go, and each one that went is counted."""
    async with Proxy(mode=Mode.HANG) as proxy:
        settings = every_backend(proxy.port) if names else QUIET
        server = StdioServer(project, folder, **{**settings, "ENABLE_LOCAL_LOGGING": "false"})
        server.is_read = False
        async with server:
            await server.call("emit", count=BATCH)
            await until(lambda: proxy.accepted >= len(names), "the drivers have connected")
            before = (await server.call("state"))["resident"]
            for _ in range(ENTRIES // STEP):
                await server.call("emit", count=STEP)
            growth = (await server.call("state"))["resident"] - before
            assert growth <= GROWTH * (len(names) + 1), f"{growth:.1f} MB"
            for name in (*names, "console"):
                counters = await server.counters(name)
                assert counters["accepted"] >= ENTRIES + BATCH
                assert counters["failed"] == 0
                assert CAPACITY <= counters["queued"] <= CAPACITY + LARGEST_BATCH
                assert counters["dropped"] == counters["accepted"] - counters["written"] - counters["queued"]


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
            comparison = await best_comparison(server, bare, calls=2_000)
            assert comparison.holds, str(comparison)
            lag = await worst_lag(server, lambda: server.call("say", count=BATCH))
            assert lag <= LAG_LIMIT, f"{lag:.0f} ms"
            dropped = [(await server.counters(name))["dropped"] for name in ("kafka", "convex", "console")]
            assert min(dropped) >= CAPACITY // 2


async def test_drops_are_said_once_in_a_while(project: Project, folder: Path) -> None:
    """100,000 entries for a destination that fails make a few lines on stderr, not one each."""
    settings = {**planted("Raising"), "ENABLE_LOCAL_LOGGING": "false", "LOG_LEVEL": "WARNING"}
    async with StdioServer(project, folder, **settings) as server:
        await server.call("emit", count=100_000)
        counters = await server.counters("raising")
        assert counters["dropped"] >= 100_000 - CAPACITY - BATCH
        assert 1 <= server.said().count("raising: planted") <= 3


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
        shown = [line.split() for line in server.said().splitlines() if line.endswith("xxx")]
        assert [int(words[-2]) for words in shown] == list(range(20))
