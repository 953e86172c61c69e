"""Plain tables that fit the terminal; what they show cannot control it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ..logging.destinations.console import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..logging.destinations.base import LogEntry

ENTRY_COLUMNS = ("time", "level", "correlation_id", "tool", "status", "ms", "message")


def entry_table(entries: Sequence[LogEntry], *, with_head: bool = True) -> str:
    """Return entries as a table, one line each, the message cut to the terminal's width."""
    return table([_row(entry) for entry in entries], ENTRY_COLUMNS, with_head=with_head)


def table(rows: Sequence[dict[str, str]], columns: Sequence[str], *, with_head: bool = True) -> str:
    """Return rows as aligned columns, the last one cut to the terminal's width."""
    cells = [[printable(row.get(name, "")) for name in columns] for row in rows]
    lines = [list(columns), *cells] if with_head else cells
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    width = shutil.get_terminal_size((160, 24)).columns
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip()[:width] for line in lines)


def _row(entry: LogEntry) -> dict[str, str]:
    message = entry.message if entry.error_message is None else f"{entry.message} ({entry.error_message})"
    return {
        "time": entry.timestamp.isoformat(sep=" ", timespec="milliseconds")[:23],
        "level": entry.level,
        "correlation_id": entry.correlation_id[:32],
        "tool": entry.tool_name or "",
        "status": entry.status or "",
        "ms": "" if entry.duration_ms is None else f"{entry.duration_ms:.1f}",
        "message": message,
    }
