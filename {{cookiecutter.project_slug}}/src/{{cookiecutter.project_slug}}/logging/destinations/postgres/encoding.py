"""Convert entries to rows and back."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ...entry import FIELD_NAMES, JSON_FIELDS
from ...json_safe import decode_json, encode_json, json_safe, readable, safe_text
from ..base import LogEntry
from .schema import COLUMN_TYPES

if TYPE_CHECKING:
    import asyncpg

MAX_JSON_TEXT = 1_000_000
"""Characters kept of one text in a JSON value that must be cleaned; entries from the logger are shorter anyway."""

Row = tuple[Any, ...]
_INPUT_ARGS, _EXTRA_DATA = map(FIELD_NAMES.index, JSON_FIELDS)


def row_of(entry: LogEntry) -> Row:
    """Return the values in the order of FIELD_NAMES, with JSON text in the jsonb columns."""
    row = list(entry.values())
    if entry.input_args is not None:
        row[_INPUT_ARGS] = encode_json(entry.input_args)
    if entry.extra_data is not None:
        row[_EXTRA_DATA] = encode_json(entry.extra_data)
    return tuple(row)


def clean_row(entry: LogEntry) -> Row:
    """Return a row without what PostgreSQL rejects: NUL, lone surrogates, and other types in text columns."""
    return tuple(map(_clean, entry.values(), COLUMN_TYPES.values()))


def entry_of(record: asyncpg.Record) -> LogEntry:
    """Return the entry in a row."""
    values = dict(record)
    for name in JSON_FIELDS:
        values[name] = decode_json(values[name]) if values[name] is not None else None
    return LogEntry.from_dict(values)


def _clean(value: Any, column_type: str) -> Any:
    if value is None or column_type not in ("text", "jsonb"):
        return value
    if column_type == "jsonb":
        return encode_json(json_safe(value, max_text=MAX_JSON_TEXT))
    text = value if isinstance(value, str) else readable(value)
    return safe_text(text if isinstance(text, str) else encode_json(text), max_text=sys.maxsize)
