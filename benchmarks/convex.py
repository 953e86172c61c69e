"""Convex's HTTP actions through the whole stack against aiohttp posting bodies encoded beforehand, 500 entries each.

The peer is the shipped functions under `convex-test`, which parse, check and store what they get.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time

import aiohttp
import orjson
from bench_server.logging.destinations.convex.encoding import encode_requests

from .report import alternate, compare
from .stack import carry, make_entries, with_retries

COUNT = 10_000
BATCH = 500
URL = os.environ["TEST_CONVEX_URL"]
KEY = os.environ.get("TEST_CONVEX_API_KEY", "local-test-key")


def main(runs: int) -> None:
    """Print the entries per second of both."""
    compare("convex (HTTP)", alternate(runs, _stack, lambda: asyncio.run(_bare())), {"entries per second": ">= 0.80"})


def _stack() -> dict[str, float]:
    destination = with_retries("convex", convex_endpoint_url=URL, convex_api_key=KEY)
    return {"entries per second": COUNT / carry(destination, make_entries(COUNT))["seconds"]}


async def _bare() -> dict[str, float]:
    entries = make_entries(COUNT)
    batches = (entries[start : start + BATCH] for start in range(0, COUNT, BATCH))
    bodies = [b'{"logs":' + logs + b"}" for batch in batches for _, logs in encode_requests(batch)]
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:
        begun, stored = time.perf_counter(), 0
        for body in bodies:
            async with session.post(f"{URL}/logs/ingest", data=body) as reply:
                stored += orjson.loads(await reply.read())["inserted"]
        seconds = time.perf_counter() - begun
    if stored != COUNT:
        msg = f"Convex stored {stored} of {COUNT}"
        raise AssertionError(msg)
    return {"entries per second": COUNT / seconds}


if __name__ == "__main__":
    main(int(sys.argv[1]))
