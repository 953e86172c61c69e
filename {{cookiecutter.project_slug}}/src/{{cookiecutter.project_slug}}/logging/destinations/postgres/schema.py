"""The PostgreSQL table: its name, its columns, and the statements that create, upgrade and fill it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Self

from ...entry import FIELD_NAMES, INTEGER_FIELDS, JSON_FIELDS, SCHEMA_1_FIELDS
from ...errors import AccessError, SettingError

SCHEMA_VERSION = 1
"""Stored in the table's comment; it stays while columns are only added, so that older servers accept the table."""
RETENTION_CHUNK = 5_000  # maximum rows per deletion
TOOL_PREFIX = 64
"""Indexed characters of a tool name; clients choose the names, and an index rejects very long values."""

FIND_TABLE = (
    "SELECT nspname::text AS schema, pg_has_role(relowner, 'USAGE') AS is_owned, "
    "obj_description(pg_class.oid, 'pg_class') AS comment, ARRAY("
    "SELECT attname::text FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped"
    ") AS columns "
    "FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE pg_class.oid = to_regclass($1)"
)
"""Takes a quoted table name; returns no row if the table does not exist."""
SCHEMA_EXISTS = "SELECT to_regnamespace($1) IS NOT NULL"
LIMIT_WAIT_FOR_LOCK = "SET LOCAL lock_timeout = '500ms'"
"""Other statements queue behind one that waits for the lock that ALTER TABLE needs."""

COLUMN_TYPES = {
    **dict.fromkeys(FIELD_NAMES, "text"),
    **dict.fromkeys(INTEGER_FIELDS, "bigint"),
    **dict.fromkeys(JSON_FIELDS, "jsonb"),
    "timestamp": "timestamptz",
    "duration_ms": "double precision",
}
_CONSTRAINTS = {"timestamp": " NOT NULL", "entry_id": ' COLLATE "C" PRIMARY KEY'}
_NAME = r"([A-Za-z_][A-Za-z0-9_$]{0,62})"  # PostgreSQL truncates longer names silently
_TABLE = re.compile(rf"(?:{_NAME}\.)?{_NAME}")
_VERSION = re.compile(r"schema version (\d+)")


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its schema, its columns, and whether the role owns it; without a schema, the search path decides."""

    name: str
    schema: str | None = None
    columns: tuple[str, ...] = FIELD_NAMES
    is_owned: bool = True

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

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """The fields that the table has no column for."""
        return tuple(name for name in FIELD_NAMES if name not in self.columns)

    def as_found(self, *, schema: str, columns: Collection[str], is_owned: bool) -> Self:
        """Return the table with the schema, the columns and the owner it has on the server.

        A table without the columns of the first schema is not ours: it is left as it is, and statements on it fail.
        """
        is_ours = all(name in columns for name in SCHEMA_1_FIELDS)
        known = tuple(name for name in FIELD_NAMES if name in columns or not is_ours)
        return replace(self, schema=schema, columns=known, is_owned=is_owned)

    def column(self, name: str) -> str:
        """Return the SQL for a field's column, or for NULL if it is missing."""
        return f'"{name}"' if name in self.columns else f"NULL::{COLUMN_TYPES[name]}"

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

    def add_columns(self) -> str:
        """Return the statement that adds the missing columns."""
        columns = [f'ADD COLUMN IF NOT EXISTS "{name}" {COLUMN_TYPES[name]}' for name in self.missing_columns]
        return f"ALTER TABLE {self} {', '.join(columns)}"

    def insert(self) -> str:
        """Return the statement that inserts rows, given as one array per column, and skips stored entries."""
        names = ", ".join(f'"{name}"' for name in self.columns)
        arrays = ", ".join(f"${number}::{COLUMN_TYPES[name]}[]" for number, name in enumerate(self.columns, 1))
        return f"INSERT INTO {self} ({names}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"  # noqa: S608

    def delete_expired(self) -> str:
        """Return the statement that deletes the oldest rows before a given time, one chunk at most."""
        oldest = f"SELECT entry_id FROM {self} WHERE timestamp < $1 ORDER BY timestamp LIMIT {RETENTION_CHUNK}"  # noqa: S608
        return f"DELETE FROM {self} WHERE entry_id IN ({oldest})"  # noqa: S608
