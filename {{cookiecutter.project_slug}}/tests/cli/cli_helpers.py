"""The recorded entries that the tests of the command read, and terminals to show them on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from helpers import make_entry

from {{cookiecutter.project_slug}}.cli.output import Terminal

if TYPE_CHECKING:
    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry

NOW = datetime.now(UTC).replace(microsecond=0)
NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
NARROW, WIDE, PIPE = Terminal(width=80), Terminal(width=160), Terminal()
REASON = "division by zero"


def ago(**age: float) -> datetime:
    """Return the time before `NOW` by this timedelta."""
    return NOW - timedelta(**age)


def make_call(tool: str = "add", status: str = "success", **values: Any) -> LogEntry:
    """Return the entry of a tool call."""
    defaults = {"log_type": "tool_execution", "method": "tools/call", "target": tool, "duration_ms": 12.0}
    level = "INFO" if status == "success" else "ERROR"
    return make_entry(
        f"{tool}: {status}", **{**defaults, "tool_name": tool, "status": status, "level": level, **values}
    )


def make_failure(tool: str = "divide", status: str = "error", **values: Any) -> LogEntry:
    """Return the entry of a call that failed."""
    failure = {"error_message": REASON, "error_type": "ZeroDivisionError", "input_args": {"a": 1, "b": 0}}
    return make_call(tool, status, **{**failure, **values})


def make_start(call: LogEntry, **values: Any) -> LogEntry:
    """Return the entry that LOG_CALL_STARTS adds when a call begins."""
    fields = {"log_type": "framework", "status": "started", "duration_ms": None}
    shared = {"timestamp": call.timestamp, "correlation_id": call.correlation_id, "input_args": call.input_args}
    return make_call(
        str(call.tool_name), **{**fields, **shared, "extra_data": {"call_entry_id": call.entry_id}, **values}
    )


ENTRIES = [
    make_entry(
        "add: success",
        timestamp=ago(minutes=1),
        log_type="tool_execution",
        correlation_id="c-1",
        tool_name="add",
        status="success",
        duration_ms=10.0,
    ),
    make_entry(
        "add: error",
        timestamp=ago(hours=3),
        log_type="tool_execution",
        level="ERROR",
        correlation_id="c-2",
        tool_name="add",
        status="error",
        duration_ms=30.0,
        error_message="100% wrong",
        error_type="ValueError",
        client_name="desktop",
        principal="ada",
        method="tools/call",
    ),
    make_entry("starting", timestamp=ago(days=2), level="DEBUG", correlation_id="c-1"),
    make_entry("from\na library\x1b[2J", timestamp=ago(days=9), level="WARNING", log_type="framework"),
]
"""Entries, newest first."""
