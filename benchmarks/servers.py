"""Start, memory, CPU and latency of the default project's server against a bare MCPServer, over stdio."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from .project import DEFAULT_PACKAGE
from .report import compare

WARM_UP = 300
BLOCKS = 10
BLOCK = 200
"""Calls in a row of one server before it is the other's turn, so that both meet what else the machine does."""
SETTLE = 0.4
"""Seconds in which the writer threads finish what a block left: their CPU counts too."""
TARGETS = {"start to initialize (s)": "<= 1.15", "CPU per echo call (us)": "<= 1.10"}


def main(runs: int) -> None:
    """Print how our server compares: each run has a pair of processes, either one first."""
    ours = [sys.executable, "-m", DEFAULT_PACKAGE]
    bare = [sys.executable, str(Path(__file__).with_name("bare_server.py"))]
    pairs = []
    for number in range(runs + 1):
        commands = (ours, bare) if number % 2 else (bare, ours)
        results = asyncio.run(_measure(commands))
        pairs.append(results if number % 2 else results[::-1])
    compare("server", pairs[1:], TARGETS)


async def _measure(commands: tuple[list[str], list[str]]) -> tuple[dict[str, float], dict[str, float]]:
    async with AsyncExitStack() as stack:
        first, second = [await Server.start(stack, command) for command in commands]
        for number in range(BLOCKS):
            for server in (first, second) if number % 2 else (second, first):
                await server.block()
        return first.figures(), second.figures()


@dataclass
class Server:
    """A running server and what was measured of it."""

    client: Client
    process: psutil.Process
    started: float
    cpu: float = 0
    durations: list[float] = field(default_factory=list)

    @classmethod
    async def start(cls, stack: AsyncExitStack, command: list[str]) -> Server:
        """Start a server, which ends with the stack, and warm it up."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        environment = os.environ | {"SQLITE_PATH": str(folder / "logs.db")}
        parameters = StdioServerParameters(command=command[0], args=command[1:], env=environment, cwd=folder)
        errors = stack.enter_context((folder / "stderr").open("w"))
        others = psutil.Process().children()
        begun = time.perf_counter()
        client = await stack.enter_async_context(Client(stdio_client(parameters, errlog=errors), mode="legacy"))
        started = time.perf_counter() - begun
        (process,) = set(psutil.Process().children()) - set(others)
        for _ in range(WARM_UP):
            await client.call_tool("echo", {"text": "warm"})
        await asyncio.sleep(SETTLE)
        return cls(client, process, started)

    async def block(self) -> None:
        """Call the tool some times and wait for what that leaves to do."""
        before = _cpu(self.process)
        for number in range(BLOCK):
            begun = time.perf_counter()
            await self.client.call_tool("echo", {"text": f"hello {number}"})
            self.durations.append(time.perf_counter() - begun)
        await asyncio.sleep(SETTLE)
        self.cpu += _cpu(self.process) - before

    def figures(self) -> dict[str, float]:
        """Return what was measured."""
        durations, calls = sorted(self.durations), len(self.durations)
        return {
            "start to initialize (s)": self.started,
            "CPU per echo call (us)": self.cpu / calls,
            "p50 per call (ms)": durations[calls // 2] * 1000,
            "p99 per call (ms)": durations[calls * 99 // 100] * 1000,
            "RSS (MB)": self.process.memory_info().rss / 1e6,
        }


def _cpu(process: psutil.Process) -> float:
    """Return the microseconds of CPU that all threads of a process have used, from the scheduler's own count."""
    tasks = Path(f"/proc/{process.pid}/task")
    if not tasks.exists():
        times = process.cpu_times()
        return (times.user + times.system) * 1e6
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e3


if __name__ == "__main__":
    main(int(sys.argv[1]))
