"""The drivers of real backends, talking at DEBUG about what they deliver, never make it more."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import pytest

from tests.support.servers import StdioServer, until

from .targets import unique

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

    from .conftest import MakeTarget
    from .targets import Target

pytestmark = pytest.mark.anyio
LINES = 1_000
REST = 2.0
"""Seconds in which nobody logs: ten times as long as a batch is collected."""
STILL = 1.0
"""Seconds without a new entry after which none is on its way any more: five times as long as a batch is collected."""
TALKERS = ("kafka", "postgres")


async def test_drivers_at_debug_make_no_entries(project: Project, make_target: MakeTarget, tmp_path: Path) -> None:
    """N lines make N entries in Kafka and PostgreSQL, and a server at rest makes none; stderr shows what they said."""
    targets, text = [make_target(name) for name in TALKERS], unique()
    settings = {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_DESTINATION_TYPE": ",".join(TALKERS)}
    settings |= {"LOG_LEVEL": "DEBUG", "PYTHONASYNCIODEBUG": "1"}
    for target in targets:
        settings |= target.settings

    async with StdioServer(project, tmp_path, **settings) as server:
        await server.call("say", count=LINES, text=text)
        logged = await server.all_counters()

        async def is_delivered() -> bool:
            counters = await server.all_counters()
            return all(counters[name]["written"] >= logged[name]["accepted"] for name in TALKERS)

        await until(is_delivered, "both backends have every line")
        before = [await _settled(target, logged[target.name]["accepted"]) for target in targets]
        end = time.monotonic() + REST
        await until(lambda: time.monotonic() > end, "the server has rested")
        after = [await _read(target) for target in targets]

    for target, rows, later in zip(targets, before, after, strict=True):
        assert later == rows, f"{target.name}: {len(later) - len(rows)} entries came by themselves"
        lines = sorted(message for message, _, _ in rows if message.startswith(f"{text} "))
        assert lines == sorted(f"{text} {number}" for number in range(LINES))
        strange = [row for row in rows if row[2].startswith("log-writer") or _is_a_drivers(row[1])]
        assert not strange, strange[:10]
    assert "aiokafka" in server.stderr_text()


async def _settled(target: Target, count: int) -> list[tuple[Any, ...]]:
    """Return what is there, `count` rows at least, once nothing comes any more: the calls that asked come last."""
    since, rows = time.monotonic(), await _read(target)

    async def is_settled() -> bool:
        nonlocal since, rows
        found = await _read(target)
        if found != rows:
            since, rows = time.monotonic(), found
        return len(rows) >= count and time.monotonic() - since >= STILL

    await until(is_settled, f"{target.name} is at rest")
    return rows


async def _read(target: Target) -> list[tuple[Any, ...]]:
    rows = await anyio.to_thread.run_sync(partial(target.read, "message", "module", "thread_name"))
    return sorted((message, module or "", thread or "") for message, module, thread in rows)


def _is_a_drivers(module: str) -> bool:
    return module.partition(".")[0] in ("aiokafka", "aiosqlite", "asyncpg")
