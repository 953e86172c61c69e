"""The log entry: its fields, in their fixed order, and its JSON form."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal

import orjson

from .correlation import new_id

LogType = Literal["tool_execution", "internal", "framework"]
Status = Literal[
    "success",
    "error",
    "cancelled",
    "validation_error",
    "unknown_tool",
    "unknown_target",
    "input_required",
    "started",
]
"""Outcomes of a request. `unknown_target` means an unknown resource or prompt; `started` marks the entry that
LOG_CALL_STARTS adds when a call begins."""
SUCCESSES: tuple[Status, ...] = ("success", "input_required")
"""The outcomes that are not failures."""


@dataclass(slots=True)
class LogEntry:
    """One request or one log line. `EntryFactory` makes entries that are JSON-safe and redacted.

    `timestamp` is the time of the event in UTC; `duration_ms` comes from a monotonic clock. `principal` is the subject
    or client id of a verified access token, never the token itself. `target` is the tool, the prompt or the URI of the
    resource that `method` names. `input_size` and `output_size` are bytes of compact JSON before anything is truncated.
    """

    correlation_id: str
    timestamp: datetime
    level: str
    log_type: LogType
    message: str
    tool_name: str | None = None
    duration_ms: float | None = None
    status: str | None = None
    input_args: dict[str, Any] | None = None
    output_summary: str | None = None
    error_message: str | None = None
    module: str | None = None
    function: str | None = None
    line: int | None = None
    thread_name: str | None = None
    process_id: int | None = None
    extra_data: dict[str, Any] | None = None
    entry_id: str = field(default_factory=new_id)
    server_name: str | None = None
    server_version: str | None = None
    transport: str | None = None
    client_name: str | None = None
    client_version: str | None = None
    protocol_version: str | None = None
    request_id: str | None = None
    principal: str | None = None
    error_type: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    hostname: str | None = None
    method: str | None = None
    target: str | None = None
    client_address: str | None = None
    parent_span_id: str | None = None
    input_size: int | None = None
    output_size: int | None = None
    traceback: str | None = None

    def values(self) -> tuple[Any, ...]:
        """Return the field values in the order of `FIELD_NAMES`."""
        values: tuple[Any, ...] = _values_of(self)
        return values

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, with `timestamp` as ISO 8601 text in UTC with microseconds."""
        return {**dict(zip(FIELD_NAMES, self.values(), strict=True)), "timestamp": iso_utc(self.timestamp)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LogEntry:
        """Build an entry from the shape of `to_dict`, ignoring unknown names; raise ValueError without a valid time."""
        known = {name: values[name] for name in FIELD_NAMES if values.get(name) is not None}
        return cls(**{**_EMPTY_TEXTS, **known, "timestamp": _parse_timestamp(known.get("timestamp"))})


FIELD_NAMES: tuple[str, ...] = tuple(item.name for item in fields(LogEntry))
"""All fields in order; destinations use them as column names and document keys."""
JSON_FIELDS = ("input_args", "extra_data")  # the fields that hold JSON objects
INTEGER_FIELDS = ("line", "process_id", "input_size", "output_size")
SCHEMA_1_FIELDS = FIELD_NAMES[: FIELD_NAMES.index("method")]
"""The fields that stores of the first schema have; later schemas only add fields at the end."""
_EMPTY_TEXTS = dict.fromkeys(("correlation_id", "level", "log_type", "message"), "")
_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_values_of = attrgetter(*FIELD_NAMES)


def with_extra_data(entry: LogEntry, known: Collection[str]) -> LogEntry:
    """Return a copy with the fields outside `known` moved into `extra_data`, for a store that has no place for them."""
    moved = {name: value for name in FIELD_NAMES if name not in known and (value := getattr(entry, name)) is not None}
    if not moved:
        return entry
    changes: dict[str, Any] = {**dict.fromkeys(moved), "extra_data": {**(entry.extra_data or {}), **moved}}
    return replace(entry, **changes)


def has_valid_time(entry: LogEntry) -> bool:
    """Return whether every destination can store the timestamp of an entry: a datetime in UTC."""
    return isinstance(entry.timestamp, datetime) and entry.timestamp.tzinfo is UTC


def with_valid_time(entry: LogEntry) -> LogEntry:
    """Return a copy with a timestamp in UTC: the nearest that exists, or the current time if there is none.

    `extra_data.timestamp` then has the type of the original value.
    """
    try:
        return replace(entry, timestamp=_in_utc(entry.timestamp))
    except Exception:  # noqa: BLE001 - the value may be any object, and its time zone foreign code
        note = {**(entry.extra_data or {}), "timestamp": f"not a time: {type(entry.timestamp).__name__}"}
        return replace(entry, timestamp=datetime.now(UTC), extra_data=note)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):  # the first and the last day of the calendar, in another zone
        return _EARLIEST if moment.year == _EARLIEST.year else _LATEST


def iso_utc(moment: datetime) -> str:
    """Return an aware datetime as fixed-width ISO 8601 text in UTC, so that text order is time order."""
    moment = moment.astimezone(UTC)
    if moment.microsecond and type(moment) is datetime:  # orjson rejects subclasses such as loguru's
        return orjson.dumps(moment)[1:-1].decode()  # four times as fast as isoformat
    return moment.isoformat(timespec="microseconds")


def _parse_timestamp(value: object) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        msg = f"The timestamp of an entry must be a datetime or ISO 8601 text, not {value!r}"
        raise ValueError(msg)  # noqa: TRY004 - one error type for texts and other values
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
