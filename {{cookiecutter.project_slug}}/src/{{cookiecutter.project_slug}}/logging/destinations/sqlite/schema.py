"""The SQLite table, and the statements that write to it."""

from __future__ import annotations

from collections.abc import Collection

from ...entry import FIELD_NAMES, INTEGER_FIELDS

TABLE = "unified_logs"
SCHEMA_VERSION = 1
"""Stored as `user_version`. New columns do not raise it, because older projects insert and read by column name."""
MAX_PARAMETERS = 999  # per statement, the lowest limit of any SQLite build
ROWS = MAX_PARAMETERS // len(FIELD_NAMES)
"""Rows per INSERT_ROWS.

Each statement releases the GIL and acquires it again: a row takes a fifth less time than with one statement per row.
"""
EXPIRED_CHUNK = 5_000  # maximum rows per DELETE_EXPIRED
OLDEST_CHUNK = 100  # maximum rows per DELETE_OLDEST; small, because the newest entries may be few and large

_TYPES = {"timestamp": "TEXT NOT NULL", "duration_ms": "REAL", **dict.fromkeys(INTEGER_FIELDS, "INTEGER")}
_COLUMNS = {name: f"{name} {_TYPES.get(name, 'TEXT')}" for name in FIELD_NAMES}
NAMES = ", ".join(FIELD_NAMES)
_ROW = f"({', '.join('?' * len(FIELD_NAMES))})"
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (id INTEGER PRIMARY KEY, {', '.join(_COLUMNS.values())})",
    f"CREATE UNIQUE INDEX IF NOT EXISTS {TABLE}_entry ON {TABLE} (entry_id)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_time ON {TABLE} (timestamp)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_correlation ON {TABLE} (correlation_id)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_tool ON {TABLE} (tool_name, timestamp) WHERE tool_name IS NOT NULL",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_level ON {TABLE} (level, timestamp)",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
INSERT = f"INSERT OR IGNORE INTO {TABLE} ({NAMES}) VALUES {_ROW}"  # noqa: S608 - all names are constants
INSERT_ROWS = ", ".join([INSERT, *[_ROW] * (ROWS - 1)])
_EXPIRED = f"SELECT id FROM {TABLE} WHERE timestamp < ? LIMIT {EXPIRED_CHUNK}"  # noqa: S608
_OLDEST = f"SELECT id FROM {TABLE} ORDER BY timestamp LIMIT {OLDEST_CHUNK}"  # noqa: S608
DELETE_EXPIRED = f"DELETE FROM {TABLE} WHERE id IN ({_EXPIRED})"  # noqa: S608
DELETE_OLDEST = f"DELETE FROM {TABLE} WHERE id IN ({_OLDEST})"  # noqa: S608
USED_BYTES = (
    "SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)
OLDEST, _NEWEST, _COUNT = (
    f"SELECT {value} FROM {TABLE}"  # noqa: S608
    for value in ("min(timestamp)", "max(timestamp)", "count(*)")
)
CONTENTS = f"SELECT ({_COUNT}), ({OLDEST}), ({_NEWEST})"
LIST_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
LIST_COLUMNS = f"SELECT name FROM pragma_table_info('{TABLE}')"  # noqa: S608


def add_columns(existing: Collection[str]) -> list[str]:
    """Return the statements that add the columns a table of an older project lacks."""
    return [f"ALTER TABLE {TABLE} ADD COLUMN {column}" for name, column in _COLUMNS.items() if name not in existing]
