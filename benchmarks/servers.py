"""Start, memory, CPU and latency of the whole server against a bare MCPServer, over stdio."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil
from mcp import Client, StdioServerParameters

from .project import PACKAGE
from .report import alternate, compare

WARM_UP = 200
CALLS = 2_000
TARGETS = {"start to initialize (s)": "<= 1.15", "CPU per echo call (us)": "<= 1.10"}


def main(runs: int) -> None:
    """Print how our server compares."""
    ours = [sys.executable, "-m", PACKAGE]
    bare = [sys.executable, str(Path(__file__).with_name("bare_server.py"))]
    compare(
        "server", alternate(runs, lambda: asyncio.run(_measure(ours)), lambda: asyncio.run(_measure(bare))), TARGETS
    )


async def _measure(command: list[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"SQLITE_PATH": str(Path(folder) / "logs.db")}
        parameters = StdioServerParameters(command=command[0], args=command[1:], env=environment, cwd=folder)
        begun = time.perf_counter()
        with Path(folder, "stderr").open("w") as errors:  # noqa: ASYNC230 - a file of our own
            from mcp.client.stdio import stdio_client  # noqa: PLC0415

            async with Client(stdio_client(parameters, errlog=errors), mode="legacy") as client:
                started = time.perf_counter() - begun
                return {"start to initialize (s)": started, **await _calls(client)}


async def _calls(client: Client) -> dict[str, float]:
    process = psutil.Process().children()[0]
    for _ in range(WARM_UP):
        await client.call_tool("echo", {"text": "warm"})
    before, durations = _cpu(process), []
    for number in range(CALLS):
        begun = time.perf_counter()
        await client.call_tool("echo", {"text": f"hello {number}"})
        durations.append(time.perf_counter() - begun)
    await asyncio.sleep(0.5)  # what the writer thread does for the last calls counts too
    durations.sort()
    return {
        "CPU per echo call (us)": (_cpu(process) - before) / CALLS,
        "p50 per call (ms)": durations[CALLS // 2] * 1000,
        "p99 per call (ms)": durations[CALLS * 99 // 100] * 1000,
        "RSS (MB)": process.memory_info().rss / 1e6,
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
