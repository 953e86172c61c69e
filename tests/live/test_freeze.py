"""Four backends that are frozen in mid-stream and go on after a while: connections stay open, nothing answers."""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
import pytest

from tests.backends import Backend, Convex, Elasticsearch, Kafka, Postgres
from tests.support.exits import until_open
from tests.support.measure import LAG_LIMIT, check_lag
from tests.support.servers import StdioServer, until

from .conftest import PRODUCTION
from .targets import ConvexTarget, ElasticsearchTarget, KafkaTarget, PostgresTarget, SQLiteTarget, Target, unique

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

_logger = logging.getLogger(__name__)

pytestmark = [pytest.mark.anyio, pytest.mark.alone]
FREEZE = 7.0
"""Seconds: longer than LOG_WRITE_TIMEOUT_MS, so that attempts are given up which nobody knows the outcome of."""
AROUND = 1.0
"""Seconds of the stream before and after."""
CHUNK = 50
TICK = 0.2


@dataclass
class Stream:
    """Lines that a tool logs, a chunk every 0.2 s, and how long the call took that logged the most slowly."""

    server: StdioServer
    text: str = field(default_factory=unique)
    chunks: int = 0
    slowest: list[float] = field(default_factory=list)
    """Milliseconds, of each freeze."""

    async def run(self, seconds: float) -> float:
        """Log for a while and return how long the slowest call took."""
        end, slowest = time.monotonic() + seconds, 0.0
        while time.monotonic() < end:
            begin = time.perf_counter()
            await self.server.call("say", count=CHUNK, text=f"{self.text}-{self.chunks}")
            slowest = max(slowest, (time.perf_counter() - begin) * 1000)
            self.chunks += 1
            await asyncio.sleep(TICK)
        return slowest

    async def freeze(self, backends: tuple[Backend, ...]) -> None:
        """Freeze the backends in mid-stream; they hold up everything that is sent to them, and nobody who logs."""
        await self.run(AROUND)
        for backend in backends:
            backend.pause()
        try:
            before = await self.server.all_counters()
            self.slowest.append(await self.run(FREEZE))
            _logger.info("the slowest call took %.0f ms", self.slowest[-1])
            after = await self.server.all_counters()
        finally:
            for backend in backends:
                backend.resume()
        for name in PRODUCTION:
            assert after[name]["written"] - before[name]["written"] <= 2 * CHUNK, after[name]
            assert after[name]["queued"] >= CHUNK * FREEZE / TICK / 2, after[name]
        await self.run(AROUND)

    @property
    def messages(self) -> list[str]:
        """Return all that was logged."""
        return [f"{self.text}-{chunk} {line}" for chunk in range(self.chunks) for line in range(CHUNK)]


async def test_backends_that_freeze_cost_no_entry_and_delay_nobody(
    project: Project, subtests: pytest.Subtests, tmp_path: Path
) -> None:
    """Tool calls and log lines do not wait meanwhile; afterwards everything is there, once.

    Kafka, which knows no ids, may have an entry twice: consumers look at `entry_id`.
    """
    kafka, elasticsearch = Kafka(tmp_path / "kafka"), Elasticsearch(tmp_path / "elasticsearch")
    postgres, convex = Postgres(tmp_path / "postgres"), Convex(tmp_path / "convex")
    backends: tuple[Backend, ...] = (kafka, elasticsearch, postgres, convex)
    with ExitStack() as stack:
        for backend in backends:
            stack.callback(backend.stop)
        with ThreadPoolExecutor() as pool:
            list(pool.map(Backend.start, backends))
        targets: tuple[Target, ...] = (
            KafkaTarget(kafka),
            ElasticsearchTarget(elasticsearch),
            PostgresTarget(postgres),
            ConvexTarget(convex),
        )
        stream = await _live_through(project, tmp_path / "server", backends, targets)

        assert statistics.median_high(stream.slowest) <= LAG_LIMIT, f"ms: {stream.slowest}"
        for target in (*targets, SQLiteTarget(tmp_path / "server" / "logs.db")):
            with subtests.test("everything arrives once", destination=target.name):
                found = await anyio.to_thread.run_sync(partial(target.find, stream.text, "message", "entry_id"))
                once = set(found) if target.name == "kafka" else found
                assert sorted(message for message, _ in once) == sorted(stream.messages)


async def _live_through(
    project: Project, folder: Path, backends: tuple[Backend, ...], targets: tuple[Target, ...]
) -> Stream:
    """Log to backends that are frozen for a while, and wait until they have everything."""
    settings = {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_DESTINATION_TYPE": ",".join(PRODUCTION)}
    for target in targets:
        settings |= target.settings
    async with StdioServer(project, folder, **settings) as server:
        stream = Stream(server)
        await until_open(server, "sqlite", *PRODUCTION)
        await check_lag(server, lambda _: stream.freeze(backends), rounds=1)
        logged = await server.all_counters()

        async def is_delivered() -> bool:
            counters = await server.all_counters()
            return all(counters[name]["written"] >= logged[name]["accepted"] for name in PRODUCTION)

        await until(is_delivered, "everything has arrived")
        for name, counters in (await server.all_counters()).items():
            assert counters["dropped"] == counters["failed"] == 0, (name, counters)
        code, _ = await server.end()
        assert code == 0
    return stream
