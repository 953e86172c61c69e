"""Latency of the default project's tool calls while its page is open and live, against the same without a page.

The page is its command and a client that asks as the page in a browser does: the stream of new entries, and after some
have arrived, the histogram. One server is measured in turn, watched and not.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from .page.ui import running
from .project import DEFAULT_PACKAGE
from .report import emit

if TYPE_CHECKING:
    from collections.abc import Iterator

WARM_UP = 300
CALLS = 1_000
"""Calls of a block: ten of them are slower than its 99th percentile."""
INTERVAL = 0.01
"""Seconds from a call to the next: a busy server, which leaves some of the machine to others."""
FIGURES = {"p50 (ms)": 0.50, "p99 (ms)": 0.99}
TARGETS = {"p99 (ms)": "<= 1.10", "p99, more (ms)": "<= 1 ms"}
"""One of the two has to hold."""


def main(runs: int) -> None:
    """Print the percentiles of both, and the difference of the 99th."""
    watched, alone = asyncio.run(_measure(runs))
    for figure, share in FIGURES.items():
        ours, bare = [_percentile(block, share) for block in watched], [_percentile(block, share) for block in alone]
        ratios = [one / other for one, other in zip(ours, bare, strict=True)]
        values = {"ours": statistics.median(ours), "bare": statistics.median(bare), "ratio": statistics.median(ratios)}
        emit("watched server", figure, values, TARGETS)
        more = statistics.median(one - other for one, other in zip(ours, bare, strict=True))
        emit("watched server", figure.replace(" (", ", more ("), {"ours": more}, TARGETS)


async def _measure(runs: int) -> tuple[list[list[float]], list[list[float]]]:
    """Return the milliseconds of the calls of each block: watched, and alone."""
    blocks: dict[bool, list[list[float]]] = {True: [], False: []}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        client = await _server(stack, folder)
        await _block(client, WARM_UP)
        for number in range(2 * runs):
            is_watched = number % 4 in {0, 3}  # each is first as often as second
            with ExitStack() as page:
                if is_watched:
                    await asyncio.to_thread(page.enter_context, _page(folder))
                    await _block(client, WARM_UP)
                blocks[is_watched].append(await _block(client, CALLS))
    return blocks[True], blocks[False]


async def _server(stack: AsyncExitStack, folder: Path) -> Client:
    environment = os.environ | {"SQLITE_PATH": str(folder / "logs.db")}
    parameters = StdioServerParameters(
        command=sys.executable, args=["-m", DEFAULT_PACKAGE], env=environment, cwd=folder
    )
    errors = stack.enter_context((folder / "stderr").open("w"))
    return await stack.enter_async_context(Client(stdio_client(parameters, errlog=errors), mode="legacy"))


@contextmanager
def _page(folder: Path) -> Iterator[None]:
    """Serve the page of a folder, and ask it as a browser does."""
    with running(folder, "sqlite", SQLITE_PATH=str(folder / "logs.db")) as ui:
        command = [sys.executable, "-m", "benchmarks.page.browser", ui.url]
        with subprocess.Popen(command) as browser:  # noqa: S603 - our own interpreter and module
            try:
                yield
            finally:
                browser.terminate()


async def _block(client: Client, calls: int) -> list[float]:
    durations = []
    for number in range(calls):
        begun = time.perf_counter()
        await client.call_tool("echo", {"text": f"hello {number}"})
        durations.append((time.perf_counter() - begun) * 1_000)
        await asyncio.sleep(begun + INTERVAL - time.perf_counter())
    return durations


def _percentile(durations: list[float], share: float) -> float:
    return sorted(durations)[int(len(durations) * share)]


if __name__ == "__main__":
    main(int(sys.argv[1]))
