"""Many at once: calls, threads, processes, megabytes, and a clock that goes backwards."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.measure import check_lag_against, check_unharmed
from tests.support.servers import HttpServer, Server, StdioServer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.project import Project

pytestmark = [pytest.mark.anyio, pytest.mark.alone]
CALLS = 1_000
LARGE_CALLS = 20
LINES = 500
MEGABYTES_10 = 10 * 1024 * 1024


@pytest.mark.parametrize("kind", [StdioServer, HttpServer])
async def test_a_thousand_calls_at_once_are_a_thousand_entries(
    project: Project, folder: Path, kind: Callable[..., Server]
) -> None:
    """Each has an id of its own; the event loop is no later than it is without logging, when so many come at once."""

    async def call(server: Server, text: str) -> None:
        calls = (server.call("echo", text=f"{text} {number}") for number in range(CALLS))
        assert await asyncio.gather(*calls) == [f"{text} {number}" for number in range(CALLS)]

    async with kind(project, folder) as server, kind(project, folder / "bare", module="bare") as bare:
        rounds = await check_lag_against(server, bare, call)
        await server.end()
    for text in rounds:
        echoed = f"tool_name = 'echo' AND status = 'success' AND output_summary GLOB '{text} [0-9]*'"
        assert server.stored(echoed) == CALLS
    assert not server.repeated("correlation_id", "tool_name = 'echo'")


async def test_fifty_threads_of_a_tool_log_without_losing_a_line(
    project: Project, folder: Path, bare: StdioServer
) -> None:
    """100 lines each, at once, each there once."""

    async def say(server: Server, text: str) -> None:
        assert await server.call("say_from_threads", threads=50, count=100, text=text) == 5_000

    async with StdioServer(project, folder / "server") as server:
        rounds = await check_lag_against(server, bare, say)
        await server.end()
        assert [server.lines(text) for text in rounds] == [5_000] * len(rounds)


async def test_ten_megabytes_of_arguments_are_cut_and_not_kept(
    project: Project, folder: Path, bare: StdioServer
) -> None:
    """The tool gets all of it, the entry says how much it was, and 200 MB of arguments leave less than half behind.

    To parse 10 MB of JSON holds up the event loop of any server: here no longer than without logging.
    """

    async def call(server: Server, _: str) -> None:
        size, echoed = await asyncio.gather(
            server.call("size", text="x" * MEGABYTES_10), server.call("echo", text="beside it")
        )
        assert (size, echoed) == (MEGABYTES_10, "beside it")

    async with StdioServer(project, folder / "server") as server:
        before = (await server.call("state"))["resident"]
        rounds = await check_lag_against(server, bare, call)
        for _ in range(LARGE_CALLS - len(rounds)):
            await call(server, "")
        growth = (await server.call("state"))["resident"] - before
        assert growth <= 100, f"{growth:.1f} MB"  # what the allocator keeps of a call, with or without logging
        await server.end()
        assert server.stored(f"input_args LIKE '%[truncated, {MEGABYTES_10} characters]%'") == LARGE_CALLS
        assert server.stored("length(input_args) > 20000") == 0


@pytest.mark.parametrize("text", ["token\n" + " " * 9_990, "authorization:" + "\r" * 9_980], ids=["lines", "header"])
async def test_a_call_holds_up_no_other_whatever_its_arguments_are(
    project: Project, folder: Path, bare: StdioServer, text: str
) -> None:
    """Secrets are searched for on the event loop: no text makes that long."""

    async def call(server: Server, _: str) -> None:
        size, echoed = await asyncio.gather(
            server.call("give_back", value={"texts": [text] * 4}), server.call("echo", text="beside it")
        )
        assert (size, echoed) == ({"texts": [text] * 4}, "beside it")

    async with StdioServer(project, folder / "server") as server:
        rounds = await check_lag_against(server, bare, call)
        await server.end()
        assert server.stored("tool_name = 'give_back'") == len(rounds)


async def test_a_clock_that_is_set_back_loses_nothing(project: Project, folder: Path, bare: StdioServer) -> None:
    """By an hour: entries have the time of the clock, durations that of a clock which only goes forward."""
    async with StdioServer(project, folder / "server") as server:
        await server.call("say", count=LINES, text="before")
        await server.call("set_clock_back", seconds=3_600)
        await server.call("sleep", seconds=0.05)
        rounds = await check_unharmed(server, bare, lambda text: server.call("say", count=LINES, text=text))
        await server.end()
        assert [server.lines(text) for text in ("before", *rounds)] == [LINES] * (1 + len(rounds))
        assert server.stored("duration_ms < 0 OR (tool_name = 'sleep' AND duration_ms NOT BETWEEN 40 AND 10000)") == 0
        earlier = "(SELECT min(timestamp) FROM unified_logs WHERE message GLOB 'before *')"
        assert server.stored(f"message GLOB 'round-* *' AND timestamp < {earlier}") == LINES * len(rounds)
        assert not server.repeated("entry_id")


async def test_the_garbage_collector_leaves_alone_what_was_imported(project: Project, folder: Path) -> None:
    """To look through it holds up the event loop for 60 ms whenever thousands of entries wait."""
    async with StdioServer(project, folder) as server:
        assert (await server.call("state"))["frozen"] > 100_000
