"""Elasticsearch through the whole stack against orjson and aiohttp: the client's CPU, same bodies and filter_path."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from typing import TYPE_CHECKING

import aiohttp
import orjson

from .report import alternate, compare
from .stack import carry, make_entries, with_retries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench_server.logging.destinations.base import LogEntry

COUNT = 30_000
BATCH = 500
HOST = os.environ["TEST_ELASTICSEARCH_HOSTS"].split(",")[0]
PATH = "/_bulk?filter_path=errors,items.*.status,items.*.error"


def main(runs: int) -> None:
    """Print the client's CPU per entry of both."""
    compare(
        "elasticsearch", alternate(runs, _stack, lambda: asyncio.run(_bare())), {"client CPU per entry (us)": "<= 1.5"}
    )


def _stack() -> dict[str, float]:
    prefix = f"bench-{uuid.uuid4().hex[:12]}"
    destination = with_retries("elasticsearch", elasticsearch_hosts=[HOST], elasticsearch_index_prefix=prefix)
    done = carry(destination, make_entries(COUNT))
    return {"client CPU per entry (us)": done["cpu"] / COUNT * 1e6, "entries per second": COUNT / done["seconds"]}


async def _bare() -> dict[str, float]:
    prefix, entries = f"bench-{uuid.uuid4().hex[:12]}", make_entries(COUNT)
    async with aiohttp.ClientSession(headers={"content-type": "application/x-ndjson"}) as session:
        begun, cpu = time.perf_counter(), time.process_time()
        for start in range(0, COUNT, BATCH):
            async with session.post(HOST + PATH, data=_body(entries[start : start + BATCH], prefix)) as reply:
                if orjson.loads(await reply.read())["errors"]:
                    msg = "Elasticsearch refused an entry"
                    raise AssertionError(msg)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return {"client CPU per entry (us)": cpu / COUNT * 1e6, "entries per second": COUNT / seconds}


def _body(entries: Sequence[LogEntry], prefix: str) -> bytes:
    lines = []
    for entry in entries:
        document = {name: value for name, value in entry.to_dict().items() if value is not None}
        action = {"create": {"_index": f"{prefix}-{entry.timestamp:%Y.%m.%d}", "_id": entry.entry_id}}
        lines += [orjson.dumps(action), orjson.dumps(document)]
    return b"\n".join(lines) + b"\n"


if __name__ == "__main__":
    main(int(sys.argv[1]))
