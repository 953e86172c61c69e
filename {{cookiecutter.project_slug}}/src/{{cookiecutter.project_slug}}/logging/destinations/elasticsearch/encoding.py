"""Entries as bodies of Elasticsearch's `_bulk` requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import orjson

from ...entry import FIELD_NAMES, LogEntry, iso_utc
from ...errors import InvalidEntryError
from ...json_safe import encode_json_bytes, json_safe, readable, scalars
from .schema import ARGUMENT_VALUES, daily_index

MAX_BODY_BYTES = 1_048_576  # aiohttp warns about larger bodies, and a small cluster rejects them with 429


def bulk_requests(entries: Sequence[LogEntry], prefix: str) -> Iterator[tuple[Sequence[LogEntry], bytes]]:
    """Yield parts of a batch with their bodies, of at most MAX_BODY_BYTES unless a single entry is larger."""
    operations, size, start = list[bytes](), 0, 0
    for number, entry in enumerate(entries):
        operation = _operation(entry, prefix)
        if operations and size + len(operation) > MAX_BODY_BYTES:
            yield entries[start:number], b"".join(operations)
            operations, size, start = [], 0, number
        operations.append(operation)
        size += len(operation)
    if operations:
        yield entries[start:], b"".join(operations)


def utc_time(entry: LogEntry) -> datetime:
    """Return the timestamp of an entry in UTC; raise InvalidEntryError if it is not a valid time."""
    try:
        return entry.timestamp.astimezone(UTC)
    except (AttributeError, OverflowError, TypeError, ValueError) as error:
        msg = f"Elasticsearch cannot index an entry with the timestamp {entry.timestamp!r}"
        raise InvalidEntryError(msg) from error


def _operation(entry: LogEntry, prefix: str) -> bytes:
    """Return the two lines of an entry: the action, and the fields that are not None."""
    timestamp = utc_time(entry)
    action = _action_start(prefix, timestamp.date()) + encode_json_bytes(entry.entry_id) + b"}}"
    return b"%b\n%b\n" % (action, _document(entry, timestamp))


@lru_cache(maxsize=64)
def _action_start(prefix: str, day: date) -> bytes:
    """Return the action of all entries of a day, up to the id."""
    index = daily_index(prefix, day)
    return orjson.dumps({"create": {"_index": index}}).removesuffix(b"}}") + b',"_id":'


def _document(entry: LogEntry, timestamp: datetime) -> bytes:
    fields = {name: value for name, value in zip(FIELD_NAMES, entry.values(), strict=True) if value is not None}
    fields["timestamp"] = timestamp
    try:
        return orjson.dumps(_with_argument_values(fields), default=readable)
    except Exception:  # noqa: BLE001 - a foreign object may raise anything; the slow way below accepts all values
        fields["timestamp"] = iso_utc(timestamp)
        return orjson.dumps(_with_argument_values({name: json_safe(value) for name, value in fields.items()}))


def _with_argument_values(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an entry with one that has the values of its arguments."""
    if arguments := fields.get("input_args"):
        fields[ARGUMENT_VALUES] = [value for value in scalars(arguments) if isinstance(value, (str, int, float))]
    return fields
