"""SQLite through the whole stack against `executemany` of 500 rows encoded beforehand, same table and indexes."""

from __future__ import annotations

import gc
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from bench_server.logging.destinations.sqlite import SQLiteDestination, schema
from bench_server.logging.destinations.sqlite.encoding import row_of

from .report import alternate, compare
from .stack import carry, make_entries

COUNT = 50_000
BATCH = 500


def main(runs: int) -> None:
    """Print the entries per second of both."""
    compare("sqlite", alternate(runs, _stack, _bare), {"entries per second": ">= 0.70"})


def _stack() -> dict[str, float]:
    entries = make_entries(COUNT)
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        done = carry(SQLiteDestination(Path(folder) / "logs.db"), entries)
    return {"entries per second": COUNT / done["seconds"]}


def _bare() -> dict[str, float]:
    rows = [row_of(entry) for entry in make_entries(COUNT)]
    gc.collect()
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "logs.db")
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", *schema.CREATE):
            connection.execute(statement)
        connection.commit()
        begun = time.perf_counter()
        for start in range(0, COUNT, BATCH):
            connection.executemany(schema.INSERT, rows[start : start + BATCH])
            connection.commit()
        seconds = time.perf_counter() - begun
        connection.close()
    return {"entries per second": COUNT / seconds}


if __name__ == "__main__":
    main(int(sys.argv[1]))
