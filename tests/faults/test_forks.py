"""Processes that fork: a child begins anew, whatever the threads of its parent were doing at that moment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .backends import every_backend
from .measure import check_lag
from .proxy import Mode, Proxy
from .servers import StdioServer

if TYPE_CHECKING:
    from pathlib import Path

    from .project import Project

pytestmark = pytest.mark.anyio
LINES = 500

WHILE_IT_WRITES = """
import os
from loguru import logger
from baked_server.logging.destinations.sqlite import SQLiteDestination
from baked_server.logging.unified_logger import UnifiedLogger

UnifiedLogger.initialize(SQLiteDestination("forks.db"))
for _ in range(100):
    for number in range(500):
        logger.info(f"parent {number}")
    if not (child := os.fork()):
        logger.info("child")
        os._exit(0 if UnifiedLogger.flush(10) else 2)
    assert os.waitpid(child, 0)[1] == 0, "a child could not write"
"""

WHILE_IT_IMPORTS = """
import asyncio, os, signal, sys, time
from baked_server.config import ServerConfig
from baked_server.logging.factory import create_log_destination
from baked_server.logging.unified_logger import UnifiedLogger

UnifiedLogger.initialize(create_log_destination(ServerConfig()))
for _ in range(5):
    if not (child := os.fork()):
        signal.alarm(10)
        import aiokafka, aiosqlite, asyncpg, elasticsearch, httpx
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "a child could not import a driver"
    time.sleep(0.02)
"""


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


def test_a_child_that_is_forked_while_a_batch_is_written_can_write(project: Project) -> None:
    """SQLite has locks of its own, which a child would inherit from a thread that it has not."""
    (project.folder / "forks.db").unlink(missing_ok=True)
    done = project.run("-W", "ignore", "-c", WHILE_IT_WRITES)
    assert done.returncode == 0, done.stderr[-2_000:]


async def test_a_child_that_is_forked_while_drivers_are_imported_can_import_them(project: Project) -> None:
    """It would inherit the lock of a module that nobody goes on to import."""
    async with Proxy(mode=Mode.HANG) as proxy:
        done = project.run("-W", "ignore", "-c", WHILE_IT_IMPORTS, settings=every_backend(proxy.port))
    assert done.returncode == 0, done.stderr[-2_000:]
