"""Convert entries to rows and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from ...entry import FIELD_NAMES, JSON_FIELDS, iso_utc
from ...json_safe import decode_json, encode_json
from ..base import LogEntry

_TIMESTAMP, _INPUT_ARGS, _EXTRA_DATA = map(FIELD_NAMES.index, ("timestamp", *JSON_FIELDS))


def row_of(entry: LogEntry) -> list[Any]:
    """Return the values in the order of FIELD_NAMES, with text for the timestamp and the JSON fields."""
    row = list(entry.values())
    row[_TIMESTAMP] = iso_utc(entry.timestamp)
    if entry.input_args is not None:
        row[_INPUT_ARGS] = encode_json(entry.input_args)
    if entry.extra_data is not None:
        row[_EXTRA_DATA] = encode_json(entry.extra_data)
    return row


def grouped_rows(entries: Sequence[LogEntry], size: int) -> Iterator[list[Any]]:
    """Yield the values of each `size` entries as one list, made when it is needed: all rows at once are megabytes."""
    for start in range(0, len(entries), size):
        yield [*chain.from_iterable(map(row_of, entries[start : start + size]))]


def entry_of(row: Sequence[Any]) -> LogEntry:
    """Return the entry in a row."""
    values = dict(zip(FIELD_NAMES, row, strict=True))
    for name in JSON_FIELDS:
        values[name] = decode_json(values[name]) if values[name] is not None else None
    return LogEntry.from_dict(values)
