"""What Kafka is given for an entry: a key, a JSON value that fits, headers, and the time of the event."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import orjson

from ...json_safe import cut_value, encode_json_bytes, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..base import LogEntry

SCHEMA_VERSION = ("schema_version", b"1")
"""The header that says which fields to expect."""
OVERHEAD_BYTES = 2_048
"""What a record needs beside its value: batch and record header, key and headers."""
MAX_ID_BYTES = 512
"""Bytes of an id that reach the key and the header."""
TRIM_SHARES = (4, 256)
"""Fractions of the limit to which the texts of an oversized entry are cut, until it fits."""


def make_record(entry: LogEntry, *, max_bytes: int) -> tuple[int, bytes, bytes, list[tuple[str, bytes]]]:
    """Return time in milliseconds, key, value and headers; trim what would be larger than `max_bytes`."""
    value = _value(entry)
    if len(value) > max_bytes - OVERHEAD_BYTES:
        value = _trimmed(entry, len(value), max_bytes - OVERHEAD_BYTES)
    return (
        max(0, int(entry.timestamp.timestamp() * 1000)),
        _id(entry.correlation_id),
        value,
        [("entry_id", _id(entry.entry_id)), SCHEMA_VERSION],
    )


def by_partition(entries: Sequence[LogEntry], partitions: Sequence[int]) -> Iterable[tuple[int, Sequence[LogEntry]]]:
    """Group entries by the partition of their key, its murmur2 hash as in Java's clients and aiokafka's own."""
    if len(partitions) == 1:
        return [(partitions[0], entries)]
    from aiokafka.partitioner import murmur2  # noqa: PLC0415 - a driver is imported where it is needed

    chosen: dict[bytes, int] = {}
    groups: dict[int, list[LogEntry]] = {}
    for entry in entries:
        key = _id(entry.correlation_id)
        if key not in chosen:
            chosen[key] = partitions[(murmur2(key) & 0x7FFFFFFF) % len(partitions)]
        groups.setdefault(chosen[key], []).append(entry)
    return groups.items()


def _id(text: object) -> bytes:
    return str(text).encode("utf-8", "backslashreplace")[:MAX_ID_BYTES]


def _value(entry: LogEntry) -> bytes:
    """Return an entry as JSON; where orjson writes its time as `to_dict` does, in a third of that one's time."""
    if entry.timestamp.tzinfo is UTC and entry.timestamp.microsecond:
        try:
            return orjson.dumps(entry, default=readable)
        except TypeError:
            pass
    return encode_json_bytes(entry.to_dict())


def _trimmed(entry: LogEntry, size: int, limit: int) -> bytes:
    """Return an entry's JSON with its texts cut until it fits, and with `trimmed`, its size, in `extra_data`."""
    values: dict[str, object] = {}
    for share in TRIM_SHARES:
        values = {name: cut_value(value, limit // share) for name, value in entry.to_dict().items()}
        extra = values["extra_data"] if isinstance(values["extra_data"], dict) else {}
        value = encode_json_bytes({**values, "extra_data": {**extra, "trimmed": size}})
        if len(value) <= limit:
            return value
    return encode_json_bytes({**values, "input_args": None, "extra_data": {"trimmed": size}})
