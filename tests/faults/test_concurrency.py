"""Many at once: calls, threads, processes, megabytes, and a clock that goes backwards."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import pytest

from .servers import HttpServer, Server, StdioServer, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .project import Project

pytestmark = pytest.mark.anyio
MEGABYTES_10 = 10 * 1024 * 1024


@pytest.mark.parametrize("kind", [StdioServer, HttpServer])
async def test_a_thousand_calls_at_once_are_a_thousand_entries(
    project: Project, folder: Path, kind: Callable[..., Server]
) -> None:
    """Each has an id of its own, and the lines of a call have the id of the call."""
    async with kind(project, folder) as server:
        answers = await asyncio.gather(*(server.call("echo", text=f"call {number}") for number in range(1_000)))
        assert answers == [f"call {number}" for number in range(1_000)]
        await server.end()
        assert server.stored("tool_name = 'echo' AND status = 'success'") == 1_000
        assert server.stored("tool_name = 'echo' GROUP BY correlation_id HAVING count(*) > 1 UNION SELECT 0") == 0


async def test_fifty_threads_of_a_tool_log_without_losing_a_line(project: Project, folder: Path) -> None:
    """100 lines each, at once."""
    async with StdioServer(project, folder) as server:
        assert await server.call("say_from_threads", threads=50, count=100) == 5_000
        await server.end()
        assert server.lines() == 5_000


async def test_ten_megabytes_of_arguments_are_cut_and_not_kept(project: Project, folder: Path) -> None:
    """The tool gets all of it, the entry says how much it was, and 200 MB of arguments leave less than half behind."""
    async with StdioServer(project, folder) as server:
        before = (await server.call("state"))["resident"]
        for _ in range(20):
            size, echoed = await asyncio.gather(
                server.call("size", text="x" * MEGABYTES_10), server.call("echo", text="beside it")
            )
            assert (size, echoed) == (MEGABYTES_10, "beside it")
        growth = (await server.call("state"))["resident"] - before
        assert growth <= 100, f"{growth:.1f} MB"  # what the allocator keeps of a call, with or without logging
        await server.end()
        assert server.stored(f"input_args LIKE '%[truncated, {MEGABYTES_10} characters]%'") == 20
        assert server.stored("length(input_args) > 20000") == 0


async def test_a_forked_child_delivers_its_own_lines_and_none_of_its_parents(project: Project, folder: Path) -> None:
    """The parent's lines are there once, the child's too."""
    async with StdioServer(project, folder) as server:
        await server.call("say", count=1_000)
        assert await server.call("fork", count=1_000) == 0
        await server.call("say", count=1_000, text="later")
        await server.end()
        assert [server.lines(text) for text in ("line", "child", "later")] == [1_000] * 3
        assert server.stored("message GLOB 'line *'") == 1_000
        assert server.stored("message GLOB 'child *' GROUP BY process_id") == 1_000


async def test_a_clock_that_is_set_back_loses_nothing(project: Project, folder: Path) -> None:
    """By an hour: entries have the time of the clock, durations that of a clock which only goes forward."""
    async with StdioServer(project, folder) as server:
        await server.call("say", count=500, text="before")
        await server.call("set_clock_back", seconds=3_600)
        await server.call("sleep", seconds=0.05)
        await server.call("say", count=500, text="after")
        await until(lambda: server.lines("after") == 500, "the lines arrive")
        await server.end()
        assert server.lines("before") == 500
        assert server.stored("duration_ms < 0 OR (tool_name = 'sleep' AND duration_ms NOT BETWEEN 40 AND 10000)") == 0
        earlier = "(SELECT min(timestamp) FROM unified_logs WHERE message GLOB 'before *')"
        assert server.stored(f"message GLOB 'after *' AND timestamp < {earlier}") == 500
        assert server.stored("1 GROUP BY entry_id HAVING count(*) > 1 UNION SELECT 0") == 0


async def test_a_process_that_is_started_by_a_tool_is_no_second_logger(project: Project, folder: Path) -> None:
    """`subprocess` with a `preexec_fn` forks in Python and becomes another program before it logs anything."""
    async with StdioServer(project, folder) as server:
        for _ in range(20):
            assert re.fullmatch(r"\d+\n", await server.call("start_process"))
        await server.end()
        assert server.stored("tool_name = 'start_process' AND status = 'success'") == 20
