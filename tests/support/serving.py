"""Serve the baked project over HTTP, and read what was recorded."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.backends.processes import ServerProcess, free_ports, listens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .project import Project

PATHS = {"streamable-http": "/mcp", "sse": "/sse"}


@dataclass(frozen=True)
class Served:
    """A server that listens: where, and where it records."""

    url: str
    port: int
    folder: Path


@contextmanager
def serving(
    project: Project,
    folder: Path,
    *,
    transport: str = "streamable-http",
    command: Sequence[str] = (),
    options: Sequence[str] = (),
    **settings: str,
) -> Iterator[Served]:
    """Run a server over HTTP, the project's unless there is a command; what it recorded is there after the end.

    Where and how it listens are environment variables, or the options if there are some; the port is their last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    where = {} if options else {"TRANSPORT": transport, "HTTP_PORT": str(port)}
    command = [*(command or [project.command]), *([*options, str(port)] if options else [])]
    process = ServerProcess("the baked server", folder)
    process.start(command, lambda: listens(port), environment=project.environment(folder, **where, **settings))
    try:
        yield Served(f"http://127.0.0.1:{port}{PATHS[transport]}", port, folder)
    finally:
        process.stop()


def entries(folder: Path) -> list[dict[str, Any]]:
    """Return what a server recorded in its folder, oldest first."""
    with closing(sqlite3.connect(folder / "logs.db")) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM unified_logs ORDER BY id")]
    return [row | {"input_args": json.loads(row["input_args"] or "null")} for row in rows]


def calls(folder: Path) -> list[dict[str, Any]]:
    """Return the tool calls among what a server recorded."""
    return [entry for entry in entries(folder) if entry["log_type"] == "tool_execution"]
