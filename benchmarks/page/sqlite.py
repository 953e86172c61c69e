"""A million rows in SQLite, and the bare statements."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench_server.logging.destinations.sqlite import schema
from bench_server.logging.destinations.sqlite.encoding import row_of

from .data import entries
from .questions import BUCKETS, Question
from .sql import Statements
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COUNT = 1_000_000
STATS = """
SELECT tool_name, count(*), sum(status <> 'success'),
    max(duration_ms) FILTER (WHERE rank <= calls * 0.50 + 1),
    max(duration_ms) FILTER (WHERE rank <= calls * 0.95 + 1),
    max(duration_ms) FILTER (WHERE rank <= calls * 0.99 + 1),
    max(duration_ms), avg(output_size), sum(output_size), max(output_size) FILTER (WHERE size_rank <= calls * 0.95 + 1)
FROM (
    SELECT tool_name, status, duration_ms, output_size,
        count(*) OVER tool AS calls,
        row_number() OVER (PARTITION BY tool_name ORDER BY duration_ms) AS rank,
        row_number() OVER (PARTITION BY tool_name ORDER BY output_size) AS size_rank
    FROM unified_logs WHERE {where} WINDOW tool AS (PARTITION BY tool_name)
) GROUP BY 1
"""
HISTOGRAM = f"""
WITH ends AS (SELECT julianday(min(timestamp)) AS first, julianday('now') AS last FROM unified_logs WHERE {{where}})
SELECT CAST((julianday(timestamp) - first) * {BUCKETS} / (last - first) AS INTEGER), count(*), sum(status <> 'success')
FROM unified_logs, ends WHERE {{where}} GROUP BY 1
"""  # noqa: S608 - constants
STATEMENTS = Statements(newest=f"SELECT {schema.NAMES} FROM unified_logs", stats=STATS, histogram=HISTOGRAM)  # noqa: S608


@contextmanager
def stored(folder: Path) -> Iterator[Store]:
    """Fill a file of this folder; yield it as a store."""
    path = folder / "logs.db"
    connection = sqlite3.connect(path)
    for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = OFF", *schema.CREATE):
        connection.execute(statement)
    connection.executemany(schema.INSERT, map(row_of, entries(COUNT)))
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (ids,) = connection.execute("SELECT entry_id, correlation_id FROM unified_logs LIMIT 1 OFFSET 500000").fetchall()

    def answer(question: Question) -> int:
        return len(connection.execute(STATEMENTS.answering(question)).fetchall())

    yield Store(name="sqlite", count=COUNT, settings={"SQLITE_PATH": str(path)}, ids=ids, answer=answer)
    connection.close()
