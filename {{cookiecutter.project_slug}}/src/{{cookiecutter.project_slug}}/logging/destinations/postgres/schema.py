"""The PostgreSQL table: its checked name, and every statement about it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ...entry import FIELD_NAMES
from ...errors import SettingError
from ...json_safe import safe_text
from ...query import TEXT_FIELDS

if TYPE_CHECKING:
    from ...query import LogQuery

SCHEMA_VERSION = 1
"""Stands in the table's comment."""
EXPIRE_CHUNK = 5_000
MAX_NAME = 63
"""Bytes of an identifier; PostgreSQL cuts what is longer without a word."""
TOOL_PREFIX = 64
"""Characters of a tool's name in its index: clients choose the names, and an index refuses long ones."""

_TYPES = {
    "timestamp": "timestamptz",
    "duration_ms": "double precision",
    "line": "bigint",
    "process_id": "bigint",
    "input_args": "jsonb",
    "extra_data": "jsonb",
}
COLUMN_TYPES = {name: _TYPES.get(name, "text") for name in FIELD_NAMES}
_CONSTRAINTS = {"timestamp": " NOT NULL", "entry_id": ' COLLATE "C" PRIMARY KEY'}
_COLUMNS = ", ".join(f'"{name}"' for name in FIELD_NAMES)
_HOLDS = "position(lower({{0}}::text) in lower({name})) > 0"
_ARGUMENT_HOLDS = (
    "EXISTS (SELECT FROM jsonb_path_query(input_args, '$.**') AS value "
    "WHERE jsonb_typeof(value) NOT IN ('object', 'array') AND " + _HOLDS.format(name="value #>> '{{}}'") + ")"
)
"""Of the arguments their values count, and not their names or JSON's punctuation."""
_PART = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
_VERSION = re.compile(r"schema version (\d+)")


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the schema it is in; None leaves that to the role's search path."""

    name: str
    schema: str | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Check a setting of the form `table` or `schema.table`; raise SettingError."""
        name, *schema = reversed(text.split("."))
        if schema[1:] or not all(_PART.fullmatch(part) and len(part) <= MAX_NAME for part in (name, *schema)):
            msg = (
                f"POSTGRES_TABLE is {text!r}; valid is table or schema.table, "
                f"each of at most {MAX_NAME} letters, digits, _ and $ that begin with a letter or _"
            )
            raise SettingError(msg)
        return cls(name, *schema)

    def __str__(self) -> str:
        """Return the name as SQL, quoted, so that upper case and reserved words stay what they are."""
        return f'"{self.name}"' if self.schema is None else f'"{self.schema}"."{self.name}"'

    def creation(self) -> tuple[str, ...]:
        """Return what makes the table and its indexes; PostgreSQL finds names for these itself.

        The index of correlation ids is a hash: it takes any length, and nobody asks for their order.
        """
        columns = ", ".join(f'"{name}" {kind}{_CONSTRAINTS.get(name, "")}' for name, kind in COLUMN_TYPES.items())
        return (
            f"CREATE TABLE {self} ({columns})",
            f"CREATE INDEX ON {self} (timestamp)",
            f"CREATE INDEX ON {self} USING hash (correlation_id)",
            f"CREATE INDEX ON {self} (left(tool_name, {TOOL_PREFIX}), timestamp) WHERE tool_name IS NOT NULL",
            f"CREATE INDEX ON {self} (level, timestamp)",
            f"COMMENT ON TABLE {self} IS 'Log entries, schema version {SCHEMA_VERSION}'",
        )

    def insertion(self) -> str:
        """Return the statement that inserts columns of values and leaves alone what is there."""
        arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(COLUMN_TYPES.values(), 1))
        return f"INSERT INTO {self} ({_COLUMNS}) SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"  # noqa: S608

    def expiry(self) -> str:
        """Return the statement that deletes a chunk of what is older than its parameter."""
        oldest = f"SELECT entry_id FROM {self} WHERE timestamp < $1 ORDER BY timestamp LIMIT {EXPIRE_CHUNK}"  # noqa: S608
        return f"DELETE FROM {self} WHERE entry_id IN ({oldest})"  # noqa: S608

    def selection(self, query: LogQuery) -> tuple[str, list[Any]]:
        """Return the statement for a query and its parameters, newest first."""
        conditions, values = _conditions(query)
        where = " AND ".join(f"({condition})" for condition in conditions) or "true"
        order = f"ORDER BY timestamp DESC, entry_id DESC LIMIT ${len(values) + 1} OFFSET ${len(values) + 2}"
        return f"SELECT {_COLUMNS} FROM {self} WHERE {where} {order}", [*values, query.limit, query.offset]  # noqa: S608


def schema_version(comment: str | None) -> int:
    """Return the schema version that a table's comment tells; ours where it tells none."""
    found = _VERSION.search(comment or "")
    return int(found[1]) if found else SCHEMA_VERSION


def _conditions(query: LogQuery) -> tuple[list[str], list[Any]]:
    """Return conditions and their parameters; texts are looked for in the form in which they are stored."""
    conditions, values = list[str](), list[Any]()

    def add(condition: str, value: object) -> None:
        values.append(_stored(value))
        conditions.append(condition.format(f"${len(values)}"))

    for name, text in query.equals.items():
        add(f"{name} = {{0}}", text)
    if query.tool_name is not None:
        add(f"left(tool_name, {TOOL_PREFIX}) = {{0}}", _stored(query.tool_name)[:TOOL_PREFIX])
    if query.levels:
        add("level = ANY({0}::text[])", list(query.levels))
    if query.since is not None:
        add("timestamp >= {0}", query.since)
    if query.until is not None:
        add("timestamp < {0}", query.until)
    if query.text is not None:
        add(" OR ".join([*(_HOLDS.format(name=name) for name in TEXT_FIELDS), _ARGUMENT_HOLDS]), query.text)
    return conditions, values


def _stored(value: Any) -> Any:
    return safe_text(value, max_text=sys.maxsize) if isinstance(value, str) else value
