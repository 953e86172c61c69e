"""Processes that fork: a child begins anew, whatever the threads of its parent were doing at that moment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.measure import check_lag
from tests.support.proxy import Mode, Proxy
from tests.support.servers import StdioServer
from tests.support.settings import every_backend

if TYPE_CHECKING:
    from tests.support.project import Project

FIXTURES = Path(__file__).with_name("fixtures")

pytestmark = pytest.mark.anyio
LINES = 500


@pytest.mark.alone
async def test_a_forked_child_delivers_its_own_lines_and_none_of_its_parents(project: Project, folder: Path) -> None:
    """The parent's lines are there once, the child's too; the parent's event loop does not wait for the child."""

    async def fork(text: str) -> None:
        await server.call("say", count=LINES, text=f"{text}-before")
        assert await server.call("fork", count=LINES, text=f"{text}-child") == 0
        await server.call("say", count=LINES, text=f"{text}-after")

    async with StdioServer(project, folder) as server:
        rounds = await check_lag(server, fork)
        await server.end()
        for text in rounds:
            assert [server.lines(f"{text}-{part}") for part in ("before", "child", "after")] == [LINES] * 3
            assert server.stored(f"message GLOB '{text}-child *' GROUP BY process_id") == LINES


async def test_a_process_that_is_started_by_a_tool_is_no_second_logger(project: Project, folder: Path) -> None:
    """`subprocess` with a `preexec_fn` forks in Python and becomes another program before it logs anything."""
    async with StdioServer(project, folder) as server:
        for _ in range(20):
            assert re.fullmatch(r"\d+\n", await server.call("start_process"))
        await server.end()
        assert server.stored("tool_name = 'start_process' AND status = 'success'") == 20


def test_a_child_forked_while_a_batch_is_written_can_write(project: Project, folder: Path) -> None:
    """The child does not inherit a lock of SQLite that the parent's writer thread holds."""
    done = project.run_python(folder, "-W", "ignore", FIXTURES / "fork_while_writing.py")
    assert done.returncode == 0, done.stderr[-2_000:]


async def test_a_child_forked_while_drivers_are_imported_can_import_them(project: Project, folder: Path) -> None:
    """The child does not inherit the lock of a module that the parent's writer thread is importing."""
    async with Proxy(mode=Mode.HANG) as proxy:
        program = FIXTURES / "fork_while_importing.py"
        done = project.run_python(folder, "-W", "ignore", program, **every_backend(proxy.port))
    assert done.returncode == 0, done.stderr[-2_000:]
