"""Entries as the page shows them: the columns of the list, and everything about one request."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ...choices import COMMAND
from ...logging.entry import iso_utc
from ..entry_text import details_of, end_id_of, is_request, name_of, pairs, short_reason_of, status_of

if TYPE_CHECKING:
    from ...logging.entry import LogEntry
    from ...logging.histogram import Histogram
    from ...logging.stats import CallStats
    from ..find_request import Request

MAX_CELL = 400
"""Characters of a text in the list; the request itself has all."""


def row_of(entry: LogEntry) -> dict[str, Any]:
    """Return an entry as a row of the list."""
    return {
        "id": entry.entry_id,
        "correlation_id": entry.correlation_id,
        "timestamp": iso_utc(entry.timestamp),
        "level": entry.level,
        "type": entry.log_type,
        "status": status_of(entry),
        "is_request": is_request(entry),
        "ends_as": end_id_of(entry),
        "name": _cell(name_of(entry)),
        "tool": _cell(entry.tool_name or ""),
        "duration_ms": entry.duration_ms,
        "client": _cell(entry.client_name or ""),
        "principal": _cell(entry.principal or ""),
        "reason": _cell(short_reason_of(entry)),
        "arguments": _cell(pairs(entry.input_args)),
        "details": "" if entry.status is not None else _cell(details_of(entry, is_whole=False)),
    }


def request_of(request: Request) -> dict[str, Any]:
    """Return a request with all that was recorded during it, oldest first."""
    call = request.call
    return {
        "call": _whole(call),
        "entries": [_whole(entry) for entry in request.entries],
        "outer": None if request.outer is None else row_of(request.outer),
        "command": f"{COMMAND} logs show {call.entry_id}",
        "json_rpc": _json_rpc(call),
    }


def stats_of(stats: CallStats) -> dict[str, Any]:
    """Return statistics by group."""
    return {"groups": [asdict(group) for group in stats.groups], "is_complete": stats.is_complete}


def histogram_of(histogram: Histogram) -> dict[str, Any]:
    """Return a histogram with the times of its period."""
    period = histogram.period
    return {
        "since": iso_utc(period.since),
        "until": iso_utc(period.until),
        "seconds": period.seconds,
        "calls": histogram.calls,
        "failures": histogram.failures,
        "is_complete": histogram.is_complete,
    }


def _cell(text: str) -> str:
    return text if len(text) <= MAX_CELL else f"{text[:MAX_CELL]}\u2026"


def _whole(entry: LogEntry) -> dict[str, Any]:
    return {**entry.to_dict(), "shown_status": status_of(entry), "is_request": is_request(entry)}


def _json_rpc(call: LogEntry) -> dict[str, Any] | None:
    """Return the request as a client sends it, if it was recorded with its arguments."""
    names = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
    method = call.method or ("tools/call" if call.log_type == "tool_execution" else "")
    if method not in names or (call.input_args is None and call.input_size is not None):
        return None
    parameters: dict[str, Any] = {names[method]: call.target or call.tool_name}
    if method != "resources/read":
        parameters["arguments"] = call.input_args or {}
    return {"jsonrpc": "2.0", "id": call.request_id or 1, "method": method, "params": parameters}
