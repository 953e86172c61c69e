"""Every way to end but SIGKILL delivers to the real backends what they were given, within the drain deadline.

Which a backend that hangs cannot exceed.
"""

from __future__ import annotations

import asyncio
import re
import signal
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from tests.support.exits import DRAIN, TEARDOWN, forget, until_open
from tests.support.proxy import Mode
from tests.support.servers import HttpServer, Server, StdioServer, until

from .conftest import PRODUCTION, MakeTarget
from .targets import unique

if TYPE_CHECKING:
    from tests.support.project import Project

    from .routes import MakeRoute

pytestmark = [pytest.mark.anyio, pytest.mark.alone]
FIXTURES = Path(__file__).with_name("fixtures")
LINES = 2_000
LEFT = 3
"""The exit code of a server that an exception ended."""

HOW: dict[str, tuple[type[StdioServer | HttpServer], signal.Signals | None, int]] = {
    "stdio-EOF": (StdioServer, None, 0),
    "stdio-SIGTERM": (StdioServer, signal.SIGTERM, 128 + signal.SIGTERM),
    "stdio-SIGINT": (StdioServer, signal.SIGINT, 128 + signal.SIGINT),
    "stdio-exception": (StdioServer, None, LEFT),
    "http-SIGTERM": (HttpServer, signal.SIGTERM, 128 + signal.SIGTERM),
    "http-SIGINT": (HttpServer, signal.SIGINT, 128 + signal.SIGINT),
    "http-exception": (HttpServer, None, LEFT),
}
HUNG = ("stdio-EOF", "stdio-SIGTERM", "http-SIGTERM")
SCRIPT_ENDS = {"end": 0, "exit": 4, "exception": 1, "at once": 0}
"""The exit codes of a script, by how it ends: `at once` is before its destination is open."""
PATIENT = {"LOG_DRAIN_TIMEOUT_MS": "20000"}
"""A deadline that leaves a driver time to be imported and to connect; only a script that ends at once asks for it."""


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", PRODUCTION)
async def test_every_exit_delivers_everything(
    project: Project, make_target: MakeTarget, tmp_path: Path, name: str, how: str
) -> None:
    """2,000 of 2,000 lines that were logged just before the end are in the backend and in SQLite, each once."""
    target, text = make_target(name), unique()
    kind, number, expected = HOW[how]
    settings = {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_DESTINATION_TYPE": name, **target.settings}

    async with kind(project, tmp_path, **settings) as server:
        await until_open(server, "sqlite", name)
        await _warm_up(server, name)
        await server.call("say", count=LINES, text=text)
        code, seconds = await (_leave(server) if expected == LEFT else server.end(number))

    assert (code, server.lines(text)) == (expected, LINES), server.stderr_text()[-2_000:]
    assert seconds <= DRAIN + TEARDOWN
    arrived = await anyio.to_thread.run_sync(partial(target.find, text, "message"))
    assert sorted(arrived) == sorted((f"{text} {line}",) for line in range(LINES)), server.stderr_text()[-2_000:]


@pytest.mark.parametrize("how", HUNG)
async def test_backends_whose_replies_are_cut_delay_an_exit_by_the_deadline_at_most(
    project: Project, make_route: MakeRoute, tmp_path: Path, how: str
) -> None:
    """One byte of each reply and no more, once sessions exist: SQLite has every line, and stderr who has them not."""
    kind, number, expected = HOW[how]
    text, settings = unique(), {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_DESTINATION_TYPE": ",".join(PRODUCTION)}
    async with AsyncExitStack() as stack:
        routes = [await stack.enter_async_context(make_route(name)) for name in PRODUCTION]
        for route in routes:
            settings |= route.target.settings
        server = await stack.enter_async_context(kind(project, tmp_path, **settings))
        await until_open(server, "sqlite", *PRODUCTION)
        for route in routes:
            route.proxy.mode = Mode.HALF
        await server.call("say", count=LINES, text=text)
        code, seconds = await server.end(number)

    assert (code, server.lines(text)) == (expected, LINES), server.stderr_text()[-2_000:]
    assert seconds <= DRAIN + TEARDOWN
    written = dict(re.findall(r" (\w+): written (\d+), ", server.stderr_text()))
    assert all(int(written[name]) < LINES for name in PRODUCTION), written


@pytest.mark.parametrize("end", SCRIPT_ENDS)
@pytest.mark.parametrize("name", PRODUCTION)
def test_a_script_delivers_what_it_logged_when_it_ends(
    project: Project, make_target: MakeTarget, tmp_path: Path, name: str, end: str
) -> None:
    """`UnifiedLogger.initialize(destination)` is all it needs: 2,000 of 2,000 lines are in the backend, each once."""
    target, text = make_target(name), unique()
    settings = {**target.alone, **PATIENT}
    done = project.run_python(tmp_path, FIXTURES / "script.py", text, str(LINES), end, **settings)

    assert done.returncode == SCRIPT_ENDS[end], done.stderr[-2_000:]
    arrived = target.find(text, "message")
    assert sorted(arrived) == sorted((f"{text} {line}",) for line in range(LINES)), done.stderr[-2_000:]


async def _warm_up(server: Server, name: str) -> None:
    """Let a backend do once what it shall do in time: a JVM that has just begun takes seconds for it."""
    await server.call("say", count=LINES, text="warm up")

    async def is_warm() -> bool:
        return bool((await server.counters(name))["written"] >= LINES)

    await until(is_warm, f"{name} has written as much as it is going to be given")


async def _leave(server: Server) -> tuple[int, float]:
    """Let an exception end the server; return as `Server.end` does."""
    begin = time.monotonic()
    leaving = asyncio.ensure_future(server.request("leave", {"code": LEFT}))
    code = await asyncio.wait_for(server.process.wait(), DRAIN + 2 * TEARDOWN)
    seconds = time.monotonic() - begin
    await forget(leaving)
    return code, seconds
