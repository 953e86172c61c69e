"""The recorded entries that the tests of the command read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from helpers import make_entry

NOW = datetime.now(UTC).replace(microsecond=0)


def ago(**age: float) -> datetime:
    """Return the time before `NOW` by this timedelta."""
    return NOW - timedelta(**age)


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
    ),
    make_entry("starting", timestamp=ago(days=2), level="DEBUG", correlation_id="c-1"),
    make_entry("from\na library\x1b[2J", timestamp=ago(days=9), level="WARNING", log_type="framework"),
]
"""Entries, newest first."""
