"""`make soak`: 500 calls a second for ten minutes, to a backend that comes and goes every 20 seconds.

Memory stays flat, the counters add up whenever one looks, and in the end every entry is where the counters say.
`python -m tests.faults.soak --minutes 2` is a shorter one.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from scripts.project import everything_on
from tests.support.http_stub import HttpStub
from tests.support.project import FIXTURES, Project, install
from tests.support.proxy import Mode, Proxy
from tests.support.servers import StdioServer, until
from tests.support.settings import http_backends

NAMES = ("sqlite", "elasticsearch", "convex")
FLAP = 20.0
TICK = 0.02
LOOK = 10.0
WARM = 0.25
"""Share of the time after which memory has to be flat."""
GROWTH = 15.0
"""Megabytes that the peak of the last quarter may be above that of the second."""
DOWN = (Mode.REFUSE, Mode.HANG, Mode.RESET, Mode.HALF)


@dataclass
class Soak:
    """One run, and what was seen."""

    server: StdioServer
    proxy: Proxy
    seconds: float
    rate: int
    calls: int = 0
    resident: list[float] = field(default_factory=list)
    running: set[asyncio.Task[object]] = field(default_factory=set)

    async def run(self) -> None:
        """Call, flap and look until the time is over, then let the backend be well."""
        end = time.monotonic() + self.seconds
        async with asyncio.TaskGroup() as group:
            flapping = group.create_task(self._flap())
            looking = group.create_task(self._look())
            await self._call_until(end)
            flapping.cancel()
            looking.cancel()
        await asyncio.gather(*self.running)
        await self.proxy.switch(Mode.FORWARD)

    async def _call_until(self, end: float) -> None:
        begin = time.monotonic()
        while (now := time.monotonic()) < end:
            for _ in range(int((now - begin) * self.rate) - self.calls):
                self.calls += 1
                task = asyncio.ensure_future(self.server.call("echo", text=f"call {self.calls}"))
                self.running.add(task)
                task.add_done_callback(self.running.discard)
            await asyncio.sleep(TICK)

    async def _flap(self) -> None:
        for mode in cycle(DOWN):
            await asyncio.sleep(FLAP)
            await self.proxy.switch(mode)
            await asyncio.sleep(FLAP)
            await self.proxy.switch(Mode.FORWARD)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(min(LOOK, self.seconds / 20))
            state = await self.server.call("state")
            self.resident.append(state["resident"])
            counters = await self.server.all_counters()
            waiting = {name: counters[name]["queued"] for name in NAMES}
            print(f"{self.calls} calls, {self.resident[-1]:.0f} MB, {self.proxy.mode.name.lower()}, waiting: {waiting}")  # noqa: T201

    def growth(self) -> float:
        """Return by how many megabytes the last quarter's peak is above the second one's."""
        quarter = max(1, int(len(self.resident) * WARM))
        return max(self.resident[-quarter:]) - max(self.resident[quarter : 2 * quarter])


async def soak(project: Project, folder: Path, *, minutes: float, rate: int) -> list[str]:
    """Run it and return what does not hold."""
    async with AsyncExitStack() as stack:
        stub = await stack.enter_async_context(HttpStub())
        proxy = await stack.enter_async_context(Proxy(stub.port))
        server = StdioServer(project, folder / "server", LOG_LEVEL="WARNING", **http_backends(proxy.port))
        await stack.enter_async_context(server)
        run = Soak(server, proxy, minutes * 60, rate)
        await run.run()

        async def is_delivered() -> bool:
            counters = await server.all_counters()
            return not any(counters[name]["queued"] for name in NAMES)

        await until(is_delivered, "everything has arrived", deadline=60, interval=1)
        counters = await server.all_counters()
        code, _ = await server.end()
        for item in counters.values():
            print(item)  # noqa: T201
        print(f"memory: {run.growth():+.1f} MB from the second quarter to the last")  # noqa: T201
        checks = {
            "every call was made": run.calls >= minutes * 60 * rate * 0.98,
            "SQLite has every call": server.stored("tool_name = 'echo'") == run.calls,
            "SQLite dropped nothing": counters["sqlite"]["dropped"] == counters["sqlite"]["failed"] == 0,
            "backends have what was written": all(
                len(stub.entries[name]) >= counters[name]["written"] for name in NAMES[1:]
            ),
            "what is missing was counted": all(
                len(stub.entries[name]) + counters[name]["dropped"] >= run.calls for name in NAMES[1:]
            ),
            "memory is flat": run.growth() <= GROWTH,
            "the server ended in order": code == 0,
        }
        return [what for what, holds in checks.items() if not holds]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=int, default=500, help="calls a second")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder), answers=everything_on(), tools=FIXTURES / "probe.py")
        project = Project(Path(folder))
        problems = asyncio.run(soak(project, Path(folder), minutes=options.minutes, rate=options.rate))
    for problem in problems:
        print(f"does not hold: {problem}", file=sys.stderr)  # noqa: T201
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
