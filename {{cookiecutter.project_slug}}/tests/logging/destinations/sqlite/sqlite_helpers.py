"""Read and change the SQLite file as another program does."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def fetch(path: Path, statement: str) -> list[Any]:
    """Return the rows of a statement, or the values if it has one column."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] if len(row) == 1 else row for row in connection.execute(statement)]


def messages(path: Path) -> list[str]:
    """Return the messages in the table, oldest row first."""
    return fetch(path, "SELECT message FROM unified_logs ORDER BY id")


def columns(path: Path) -> list[str]:
    """Return the columns of the table."""
    return fetch(path, "SELECT name FROM pragma_table_info('unified_logs')")


def alter(path: Path, statements: str) -> None:
    """Run SQL statements on the file."""
    sqlite3.connect(path).executescript(statements).connection.close()


def explain(path: Path, statement: str, values: list[Any]) -> list[str]:
    """Return the steps in which SQLite executes a statement."""
    with closing(sqlite3.connect(path)) as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
