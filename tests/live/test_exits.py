"""Every way to end but SIGKILL delivers to the real backends what they were given, within the drain deadline."""

from __future__ import annotations

import asyncio
import signal
import time
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from tests.faults.exits import DRAIN, TEARDOWN, forget, until_open
from tests.faults.servers import HttpServer, Server, StdioServer

from .conftest import PRODUCTION, MakeTarget
from .targets import unique

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.project import Project

pytestmark = [pytest.mark.anyio, pytest.mark.alone]
LINES = 2_000
LEFT = 3
"""The exit code of a server that an exception ended."""

HOW: dict[str, tuple[type[StdioServer | HttpServer], signal.Signals | None, int]] = {
    "stdio-EOF": (StdioServer, None, 0),
    "stdio-SIGTERM": (StdioServer, signal.SIGTERM, 128 + signal.SIGTERM),
    "stdio-SIGINT": (StdioServer, signal.SIGINT, 128 + signal.SIGINT),
    "http-SIGTERM": (HttpServer, signal.SIGTERM, 128 + signal.SIGTERM),
    "stdio-exception": (StdioServer, None, LEFT),
}


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", PRODUCTION)
async def test_every_exit_delivers_everything(
    probed: Project, make_target: MakeTarget, tmp_path: Path, name: str, how: str
) -> None:
    """2,000 of 2,000 lines that were logged just before the end are in the backend and in SQLite, each once."""
    target, text = make_target(name), unique()
    kind, number, expected = HOW[how]
    settings = {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_DESTINATION_TYPE": name, **target.settings}

    async with kind(probed, tmp_path, **settings) as server:
        await until_open(server, "sqlite", name)
        await server.call("say", count=LINES, text=text)
        code, seconds = await (_leave(server) if expected == LEFT else server.end(number))

    assert (code, server.lines(text)) == (expected, LINES), server.said()[-2_000:]
    assert seconds <= DRAIN + TEARDOWN
    arrived = await anyio.to_thread.run_sync(partial(target.find, text, "message"))
    assert sorted(arrived) == sorted((f"{text} {line}",) for line in range(LINES)), server.said()[-2_000:]


async def _leave(server: Server) -> tuple[int, float]:
    """Let an exception end the server; return as `Server.end` does."""
    begin = time.monotonic()
    leaving = asyncio.ensure_future(server.request("leave", {"code": LEFT}))
    code = await asyncio.wait_for(server.process.wait(), DRAIN + 2 * TEARDOWN)
    seconds = time.monotonic() - begin
    await forget(leaving)
    return code, seconds
