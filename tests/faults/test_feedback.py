"""Libraries that talk at DEBUG about what they deliver never make it more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.http_stub import HttpStub
from tests.support.proxy import Mode, Proxy
from tests.support.servers import StdioServer, until
from tests.support.settings import NAMES, every_backend, http_backends

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

pytestmark = pytest.mark.anyio
LINES = 1_000
DRIVERS = ("aiokafka", "aiosqlite", "asyncpg", "elastic", "httpcore", "httpx", "talking_driver", "library_of")


async def test_as_many_lines_as_were_logged_reach_each_destination_with_every_library_at_debug(
    project: Project, folder: Path
) -> None:
    """N lines make N entries, and a server at rest makes none; what the libraries say is on stderr."""
    appended = folder / "appended.txt"
    async with HttpStub() as stub:
        settings = http_backends(stub.port)
        settings["LOG_DESTINATION_TYPE"] += ",faulty:Talking"
        settings |= {"LOG_LEVEL": "DEBUG", "APPENDING_FILE": str(appended)}
        async with StdioServer(project, folder / "server", **settings) as server:
            await server.call("say", count=LINES)
            await until(lambda: server.lines() == LINES, "SQLite has every line")
            await until(lambda: stub.lines("convex") == LINES, "Convex has every line")
            await until(lambda: stub.lines("elasticsearch") == LINES, "Elasticsearch has every line")
            await server.end()
            assert server.stored("message GLOB 'line *'") == LINES
            assert sum(line.startswith("line ") for line in appended.read_text().splitlines()) == LINES
            for driver in DRIVERS:
                assert server.stored(f"module LIKE '{driver}%'") == 0, driver
            assert "talking_driver" in server.stderr_text()
            assert "sent all" in server.stderr_text()
            assert LINES <= server.stored() <= LINES + 50


async def test_libraries_that_complain_about_backends_that_fail_make_no_entries(project: Project, folder: Path) -> None:
    """Four drivers at DEBUG that cannot connect: a server at rest accepts nothing new."""
    async with (
        Proxy(mode=Mode.RESET) as proxy,
        StdioServer(
            project, folder, **every_backend(proxy.port), LOG_LEVEL="DEBUG", LOG_WRITE_TIMEOUT_MS="300"
        ) as server,
    ):
        await server.call("say", count=LINES)
        for name in NAMES:
            await until(partial(_has_failed, server, name), f"{name} has tried")
        await until(lambda: proxy.accepted > 20, "the drivers have tried again and again")
        for name in NAMES:
            assert (await server.counters(name))["accepted"] <= LINES + 100
        await server.end()
        for driver in DRIVERS:
            assert server.stored(f"module LIKE '{driver}%'") == 0, driver
        assert server.lines() == LINES


async def _has_failed(server: StdioServer, name: str) -> bool:
    return bool((await server.counters(name))["last_error"])
