"""Convex's HTTP action through the whole stack against aiohttp posting bodies encoded beforehand, 500 entries each.

The peer is a server of our own in another process that reads the body and answers at once: what is measured is the
client, not a deployment.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import aiohttp
import orjson
from aiohttp import web
from bench_server.logging.destinations.convex_document import encode_requests

from .report import alternate, compare
from .stack import carry, make_entries, with_retries

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 50_000
BATCH = 500
KEY = "benchmark"


def main(runs: int) -> None:
    """Print the entries per second of both."""
    with _server() as url:
        pairs = alternate(runs, lambda: _stack(url), lambda: asyncio.run(_bare(url)))
    compare("convex (HTTP)", pairs, {"entries per second": ">= 0.80"})


@contextmanager
def _server() -> Iterator[str]:
    command = [sys.executable, "-m", "benchmarks.convex", "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - this module
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def serve() -> None:
    """Answer every POST with an empty JSON object, and print the address."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=b"{}", content_type="application/json")

    application = web.Application(client_max_size=2**26)
    application.router.add_post("/logs/ingest", take)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def _stack(url: str) -> dict[str, float]:
    destination = with_retries("convex", convex_endpoint_url=url, convex_api_key=KEY)
    return {"entries per second": COUNT / carry(destination, make_entries(COUNT))["seconds"]}


async def _bare(url: str) -> dict[str, float]:
    entries = make_entries(COUNT)
    batches = (entries[start : start + BATCH] for start in range(0, COUNT, BATCH))
    bodies = [b'{"logs":' + logs + b"}" for batch in batches for _, logs in encode_requests(batch)]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:
        begun = time.perf_counter()
        for body in bodies:
            async with session.post(f"{url}/logs/ingest", data=body) as reply:
                orjson.loads(await reply.read())
        seconds = time.perf_counter() - begun
    return {"entries per second": COUNT / seconds}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve())
    else:
        main(int(sys.argv[1]))
