"""Elasticsearch through the whole stack against orjson and aiohttp: the client's CPU, same bodies and filter_path.

The bare side is handed documents; the stack has to make them of entries.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

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
    prefix = f"bench-{uuid.uuid4().hex[:12]}"
    operations = [_operation(entry, prefix) for entry in make_entries(COUNT)]  # before the clock starts
    async with aiohttp.ClientSession(headers={"content-type": "application/x-ndjson"}) as session:
        begun, cpu = time.perf_counter(), time.process_time()
        for start in range(0, COUNT, BATCH):
            async with session.post(HOST + PATH, data=_body(operations[start : start + BATCH])) as reply:
                if orjson.loads(await reply.read())["errors"]:
                    msg = "Elasticsearch refused an entry"
                    raise AssertionError(msg)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    return {"client CPU per entry (us)": cpu / COUNT * 1e6, "entries per second": COUNT / seconds}


def _operation(entry: LogEntry, prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    action = {"create": {"_index": f"{prefix}-{entry.timestamp:%Y.%m.%d}", "_id": entry.entry_id}}
    return action, {name: value for name, value in entry.to_dict().items() if value is not None}


def _body(operations: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> bytes:
    return b"\n".join(orjson.dumps(item) for operation in operations for item in operation) + b"\n"


if __name__ == "__main__":
    main(int(sys.argv[1]))
