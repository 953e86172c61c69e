"""Convert entries to rows and back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ...entry import FIELD_NAMES, JSON_FIELDS, with_extra_data
from ...json_safe import decode_json, encode_json, json_safe, readable, safe_text
from ..base import LogEntry
from .schema import COLUMN_TYPES

if TYPE_CHECKING:
    import asyncpg

MAX_JSON_TEXT = 1_000_000
"""Characters kept of one text in a JSON value that must be cleaned; entries from the logger are shorter anyway."""

Row = tuple[Any, ...]
Encoder = Callable[[LogEntry], Row]
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


def for_columns(encode: Encoder, columns: tuple[str, ...]) -> Encoder:
    """Return an encoder of rows with only these columns; the values of other fields go into `extra_data`."""
    if columns == FIELD_NAMES:
        return encode
    known = frozenset(columns)
    pick: Callable[[Row], Row] = itemgetter(*map(FIELD_NAMES.index, columns))
    return lambda entry: pick(encode(with_extra_data(entry, known)))


def entry_of(record: asyncpg.Record) -> LogEntry:
    """Return the entry in a row; fields without a column are None."""
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
