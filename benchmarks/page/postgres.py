"""Rows in PostgreSQL, and the bare statements."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncpg
from bench_server.logging.destinations.postgres.encoding import row_of
from bench_server.logging.entry import FIELD_NAMES

from benchmarks.stack import with_retries

from .data import entries
from .questions import BUCKETS, Question
from .sql import Statements
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 200_000
DSN = os.environ["TEST_POSTGRES_DSN"]
TABLE = "bench_page"
STATS = f"""
SELECT tool_name, count(*), count(*) FILTER (WHERE status <> 'success'),
    percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY duration_ms), max(duration_ms),
    avg(output_size), percentile_disc(0.95) WITHIN GROUP (ORDER BY output_size), sum(output_size)
FROM {TABLE} WHERE {{where}} GROUP BY 1
"""  # noqa: S608 - a constant
HISTOGRAM = f"""
WITH ends AS (SELECT min(timestamp) AS first, now() AS last FROM {TABLE} WHERE {{where}})
SELECT floor(extract(epoch FROM timestamp - first) * {BUCKETS} / extract(epoch FROM last - first)),
    count(*), count(*) FILTER (WHERE status <> 'success')
FROM {TABLE}, ends WHERE {{where}} GROUP BY 1
"""  # noqa: S608 - constants
STATEMENTS = Statements(newest=f"SELECT {', '.join(FIELD_NAMES)} FROM {TABLE}", stats=STATS, histogram=HISTOGRAM)  # noqa: S608


@contextmanager
def stored(folder: Path) -> Iterator[Store]:  # noqa: ARG001 - as the other stores have it
    """Fill a table; yield it as a store."""
    with asyncio.Runner() as runner:
        connection = runner.run(_filled())
        identify = f"SELECT entry_id, correlation_id FROM {TABLE} OFFSET {COUNT // 2} LIMIT 1"  # noqa: S608
        (ids,) = runner.run(connection.fetch(identify))

        def answer(question: Question) -> int:
            return len(runner.run(connection.fetch(STATEMENTS.answering(question))))

        settings = {"POSTGRES_DSN": DSN, "POSTGRES_TABLE": TABLE}
        yield Store(name="postgres", count=COUNT, settings=settings, ids=tuple(ids), answer=answer)
        runner.run(connection.close())


async def _filled() -> asyncpg.Connection:
    maker = with_retries("postgres", postgres_dsn=DSN, postgres_table=TABLE)
    await maker.open()  # makes the table and its indexes
    await maker.close()
    connection = await asyncpg.connect(DSN)
    await connection.copy_records_to_table(TABLE, records=map(row_of, entries(COUNT)), columns=FIELD_NAMES)
    await connection.execute(f"ANALYZE {TABLE}")
    return connection
