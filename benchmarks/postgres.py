"""PostgreSQL through the whole stack against a bare COPY of rows encoded beforehand into the same table."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid

import asyncpg
from bench_server.logging.destinations.base import FIELD_NAMES
from bench_server.logging.destinations.postgres_rows import row_of

from .report import alternate, compare
from .stack import carry, make_entries, with_retries

COUNT = 50_000
BATCH = 500
DSN = os.environ["TEST_POSTGRES_DSN"]


def main(runs: int) -> None:
    """Print the entries per second of both."""
    compare("postgres", alternate(runs, _stack, lambda: asyncio.run(_bare())), {"entries per second": ">= 0.85"})


def _new_table() -> str:
    return f"bench_{uuid.uuid4().hex[:12]}"


def _stack() -> dict[str, float]:
    destination = with_retries("postgres", postgres_dsn=DSN, postgres_table=_new_table())
    return {"entries per second": COUNT / carry(destination, make_entries(COUNT))["seconds"]}


async def _bare() -> dict[str, float]:
    table = _new_table()
    maker = with_retries("postgres", postgres_dsn=DSN, postgres_table=table)
    await maker.open()  # makes the table and its indexes
    await maker.close()
    connection = await asyncpg.connect(DSN)
    records = [row_of(entry) for entry in make_entries(COUNT)]
    begun = time.perf_counter()
    for start in range(0, COUNT, BATCH):
        await connection.copy_records_to_table(table, records=records[start : start + BATCH], columns=FIELD_NAMES)
    seconds = time.perf_counter() - begun
    await connection.close()
    return {"entries per second": COUNT / seconds}


if __name__ == "__main__":
    main(int(sys.argv[1]))
