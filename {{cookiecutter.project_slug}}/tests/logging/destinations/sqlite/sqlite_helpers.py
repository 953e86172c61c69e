"""Read and change the SQLite file as another program does, and run programs that have no place for it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from other_users import is_root

from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    from pathlib import Path

STRANGER = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
"""Makes a program run as a user without a name and a home folder."""
AS_READER = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
"""Lets that user read an interpreter in root's home folder."""


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


def without_home() -> list[str]:
    """Return the words before a command that has no home folder; for a user who is not root, one it cannot use."""
    if not is_root():
        return ["env", "-i", f"HOME={os.devnull}"]
    words = [*STRANGER, "env", "-i"]
    done = subprocess.run([*words, sys.executable, "-c", f"import {PACKAGE}"], check=False, capture_output=True)
    return words if done.returncode == 0 else [*STRANGER, *AS_READER, "env", "-i"]
