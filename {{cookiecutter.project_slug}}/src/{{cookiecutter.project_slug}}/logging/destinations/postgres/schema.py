"""The PostgreSQL table: its name, its columns, and all statements on it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import Any, Self

from ...entry import FIELD_NAMES
from ...errors import AccessError, SettingError
from ...json_safe import safe_text
from ...query import TEXT_FIELDS, LogQuery

SCHEMA_VERSION = 1  # stored in the table's comment
RETENTION_CHUNK = 5_000  # maximum rows per deletion
TOOL_PREFIX = 64
"""Indexed characters of a tool name; clients choose the names, and an index rejects very long values."""

TABLE_EXISTS = "SELECT to_regclass($1) IS NOT NULL, obj_description(to_regclass($1)::oid, 'pg_class')"
"""Takes a quoted table name; returns whether it exists, and its comment."""
SCHEMA_EXISTS = "SELECT to_regnamespace($1) IS NOT NULL"

_SPECIAL_TYPES = {
    "timestamp": "timestamptz",
    "duration_ms": "double precision",
    "line": "bigint",
    "process_id": "bigint",
    "input_args": "jsonb",
    "extra_data": "jsonb",
}
COLUMN_TYPES = {name: _SPECIAL_TYPES.get(name, "text") for name in FIELD_NAMES}
_CONSTRAINTS = {"timestamp": " NOT NULL", "entry_id": ' COLLATE "C" PRIMARY KEY'}
_COLUMNS = ", ".join(f'"{name}"' for name in FIELD_NAMES)
_NAME = r"([A-Za-z_][A-Za-z0-9_$]{0,62})"  # PostgreSQL truncates longer names silently
_TABLE = re.compile(rf"(?:{_NAME}\.)?{_NAME}")
_VERSION = re.compile(r"schema version (\d+)")


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its schema; without one, the role's search path decides."""

    name: str
    schema: str | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Parse `table` or `schema.table`; raise SettingError if it is malformed."""
        found = _TABLE.fullmatch(text)
        if found is None:
            msg = (
                f"POSTGRES_TABLE is {text!r}; valid is table or schema.table, each with at most 63 letters, digits, "
                "_ and $, starting with a letter or _"
            )
            raise SettingError(msg)
        return cls(name=found[2], schema=found[1])

    def __str__(self) -> str:
        """Return the quoted name for SQL; quotes preserve upper case and allow reserved words."""
        return f'"{self.name}"' if self.schema is None else f'"{self.schema}"."{self.name}"'

    def check_version(self, comment: str | None) -> None:
        """Raise AccessError if the table's comment contains a newer schema version than this project's."""
        found = _VERSION.search(comment or "")
        if found and int(found[1]) > SCHEMA_VERSION:
            msg = (
                f"The table {self} has schema version {found[1]}, but this project writes version {SCHEMA_VERSION}: "
                "update the project, or use another POSTGRES_TABLE"
            )
            raise AccessError(msg)

    def create(self) -> tuple[str, ...]:
        """Return the statements that create the table and its indexes."""
        columns = ", ".join(f'"{name}" {kind}{_CONSTRAINTS.get(name, "")}' for name, kind in COLUMN_TYPES.items())
        return (
            f"CREATE TABLE {self} ({columns})",
            f"CREATE INDEX ON {self} (timestamp)",
            f"CREATE INDEX ON {self} USING hash (correlation_id)",  # accepts values of any length
            f"CREATE INDEX ON {self} (left(tool_name, {TOOL_PREFIX}), timestamp) WHERE tool_name IS NOT NULL",
            f"CREATE INDEX ON {self} (level, timestamp)",
            f"COMMENT ON TABLE {self} IS 'Log entries, schema version {SCHEMA_VERSION}'",
        )

    def insert(self) -> str:
        """Return the statement that inserts rows, given as one array per column, and skips stored entries."""
        arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(COLUMN_TYPES.values(), 1))
        return f"INSERT INTO {self} ({_COLUMNS}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"  # noqa: S608

    def delete_expired(self) -> str:
        """Return the statement that deletes the oldest rows before a given time, one chunk at most."""
        oldest = f"SELECT entry_id FROM {self} WHERE timestamp < $1 ORDER BY timestamp LIMIT {RETENTION_CHUNK}"  # noqa: S608
        return f"DELETE FROM {self} WHERE entry_id IN ({oldest})"  # noqa: S608

    def select(self, query: LogQuery) -> tuple[str, list[Any]]:
        """Return the statement for a query, newest first, and its parameters."""
        conditions, values = _conditions(query)
        where = " AND ".join(f"({condition})" for condition in conditions) or "true"
        order = f"ORDER BY timestamp DESC, entry_id DESC LIMIT ${len(values) + 1} OFFSET ${len(values) + 2}"
        return f"SELECT {_COLUMNS} FROM {self} WHERE {where} {order}", [*values, query.limit, query.offset]  # noqa: S608


def _conditions(query: LogQuery) -> tuple[list[str], list[Any]]:
    """Return the conditions of a query and their parameters."""
    conditions, values = list[str](), list[Any]()

    def add(condition: str, value: object) -> None:
        values.append(_as_stored(value))
        conditions.append(condition.replace("?", f"${len(values)}"))

    for name, text in query.equals.items():
        add(f"{name} = ?", text)
    if query.tool_name is not None:  # the condition that the index supports
        add(f"left(tool_name, {TOOL_PREFIX}) = ?", _as_stored(query.tool_name)[:TOOL_PREFIX])
    if query.level:
        add("level = ANY(?::text[])", list(query.level))
    if query.since is not None:
        add("timestamp >= ?", query.since)
    if query.until is not None:
        add("timestamp < ?", query.until)
    if query.text is not None:
        add(" OR ".join([*map(_contains, TEXT_FIELDS), _ARGUMENT_CONTAINS]), query.text)
    return conditions, values


def _contains(expression: str) -> str:
    return f"position(lower(?::text) in lower({expression})) > 0"


_VALUE = "value #>> '{}'"
_ARGUMENT_CONTAINS = (
    "EXISTS (SELECT FROM jsonb_path_query(input_args, '$.**') AS value "
    f"WHERE jsonb_typeof(value) NOT IN ('object', 'array') AND {_contains(_VALUE)})"
)
"""Search the values of the arguments, but not their names or JSON punctuation."""


def _as_stored(value: Any) -> Any:
    """Return a text in the form that `clean_row` stores."""
    return safe_text(value, max_text=sys.maxsize) if isinstance(value, str) else value
