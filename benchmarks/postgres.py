"""PostgreSQL through the whole stack against bare COPY statements into the same table, 2,000 rows each.

What the bare side copies was encoded beforehand, down to the bytes that go over the wire.
"""

from __future__ import annotations

import asyncio
import io
import os
import struct
import sys
import time
import uuid
from typing import TYPE_CHECKING

import asyncpg
from bench_server.logging.destinations.postgres.encoding import row_of
from bench_server.logging.entry import FIELD_NAMES

from .report import alternate, compare
from .stack import carry, make_entries, with_retries

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 50_000
BATCH = 2_000
DSN = os.environ["TEST_POSTGRES_DSN"]
HEADER_BYTES = 19
"""What a binary COPY begins with: signature, flags and the length of an extension that is not there."""


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
    batches = await _encoded(connection, table)
    begun = time.perf_counter()
    for batch in batches:
        await connection.copy_to_table(table, source=io.BytesIO(batch), columns=FIELD_NAMES, format="binary")
    seconds = time.perf_counter() - begun
    await connection.close()
    return {"entries per second": COUNT / seconds}


async def _encoded(connection: asyncpg.Connection, table: str) -> list[bytes]:
    """Return batches of entries as PostgreSQL itself encodes them, and leave the table empty."""
    rows, stream = [row_of(entry) for entry in make_entries(COUNT)], io.BytesIO()
    await connection.copy_records_to_table(table, records=rows, columns=FIELD_NAMES)
    await connection.copy_from_table(table, output=stream, columns=FIELD_NAMES, format="binary")
    await connection.execute(f"TRUNCATE {table}")
    content = stream.getvalue()
    header, trailer = content[:HEADER_BYTES], struct.pack(">h", -1)
    encoded = list(_rows(content))
    return [header + b"".join(encoded[start : start + BATCH]) + trailer for start in range(0, COUNT, BATCH)]


def _rows(content: bytes) -> Iterator[bytes]:
    """Split what a binary COPY wrote: a row is the number of its fields, then for each its length and its bytes."""
    start = HEADER_BYTES
    while (fields := struct.unpack_from(">h", content, start)[0]) >= 0:
        end = start + 2
        for _ in range(fields):
            end += 4 + max(0, struct.unpack_from(">i", content, end)[0])
        yield content[start:end]
        start = end


if __name__ == "__main__":
    main(int(sys.argv[1]))
