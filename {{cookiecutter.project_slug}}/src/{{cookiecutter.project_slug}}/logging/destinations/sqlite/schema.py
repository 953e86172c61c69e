"""The SQLite table and all statements on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...entry import FIELD_NAMES, iso_utc
from ...json_safe import decode_json
from ...query import TEXT_FIELDS, LogQuery

TABLE = "unified_logs"
SCHEMA_VERSION = 1
RETENTION_CHUNK = 5_000  # maximum rows per deletion
ROWS = 32
"""Rows per INSERT_ROWS, whose parameters must not exceed 999, the lowest limit of any SQLite build.

Each statement releases the GIL and acquires it again: a row takes a sixth less time than with one statement per row.
"""

_TYPES = {"timestamp": "TEXT NOT NULL", "duration_ms": "REAL", "line": "INTEGER", "process_id": "INTEGER"}
_COLUMNS = ", ".join(f"{name} {_TYPES.get(name, 'TEXT')}" for name in FIELD_NAMES)
_NAMES = ", ".join(FIELD_NAMES)
_ROW = f"({', '.join('?' * len(FIELD_NAMES))})"
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (id INTEGER PRIMARY KEY, {_COLUMNS})",
    f"CREATE UNIQUE INDEX IF NOT EXISTS {TABLE}_entry ON {TABLE} (entry_id)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_time ON {TABLE} (timestamp)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_correlation ON {TABLE} (correlation_id)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_tool ON {TABLE} (tool_name, timestamp) WHERE tool_name IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_level ON {TABLE} (level, timestamp)",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
INSERT = f"INSERT OR IGNORE INTO {TABLE} ({_NAMES}) VALUES {_ROW}"  # noqa: S608 - all names are constants
INSERT_ROWS = ", ".join([INSERT, *[_ROW] * (ROWS - 1)])
_EXPIRED = f"SELECT id FROM {TABLE} WHERE timestamp < ? LIMIT {RETENTION_CHUNK}"  # noqa: S608
DELETE_EXPIRED = f"DELETE FROM {TABLE} WHERE id IN ({_EXPIRED})"  # noqa: S608
LIST_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"


def select(query: LogQuery) -> tuple[str, list[Any]]:
    """Return the statement for a query, newest first, and its parameters; it calls `matches`."""
    conditions, values = [f"{name} = ?" for name in query.equals], list[Any](query.equals.values())
    if query.level:
        conditions.append(f"level IN ({', '.join('?' * len(query.level))})")
        values.extend(query.level)
    if query.since is not None:
        conditions.append("timestamp >= ?")
        values.append(iso_utc(query.since))
    if query.until is not None:
        conditions.append("timestamp < ?")
        values.append(iso_utc(query.until))
    if query.text is not None:
        conditions.append(f"matches(?, input_args, {', '.join(TEXT_FIELDS)})")
        values.append(query.text.casefold())
    where = " AND ".join(conditions) or "1"
    order = "ORDER BY timestamp DESC, id DESC LIMIT ? OFFSET ?"
    return f"SELECT {_NAMES} FROM {TABLE} WHERE {where} {order}", [*values, query.limit, query.offset]  # noqa: S608


def matches(wanted: str, json_text: str | None, *texts: str | None) -> bool:
    """Return whether a text or a JSON value contains `wanted`, case-folded; LIKE ignores the case of ASCII only."""
    if any(text is not None and wanted in text.casefold() for text in texts):
        return True
    return json_text is not None and any(wanted in text.casefold() for text in _values(decode_json(json_text)))


def _values(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _values(item)
    elif value is not None:
        yield str(value)
