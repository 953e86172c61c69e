"""One tool call, from its start to its log entry."""

from __future__ import annotations

import asyncio
import threading
import time
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedResourceError, UnexpectedToolError
from mcp.types import CallToolResult, InputRequiredResult, TextContent
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
from pydantic import ValidationError

from ..logging.entries import class_name
from ..logging.json_safe import encode_json
from ..logging.unified_logger import UnifiedLogger
from .client_id import MAX_LENGTH, client_correlation_id

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from ..logging.entry import LogEntry, Status
    from ..logging.settings import Level

SUMMARY_LENGTH = 1_000
"""Characters kept of a tool's output."""
LEVEL_OF: dict[Status, Level] = {
    "success": "INFO",
    "input_required": "INFO",
    "cancelled": "WARNING",
    "validation_error": "WARNING",
    "unknown_tool": "WARNING",
    "error": "ERROR",
}
"""The log level of each outcome."""

current_request: ContextVar[ServerRequestContext[Any, Any] | None] = ContextVar("request", default=None)
"""The current request; the SDK's own way to it takes twenty times as long."""


class RecordedCall:
    """A tool call in progress; exactly one of `returned`, `failed` and `abandoned` records it."""

    __slots__ = ("_arguments", "_context", "_entries", "_name", "_request", "_started", "_timestamp")

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        self._entries = UnifiedLogger.entries()
        self._name = self._entries.name(name)
        self._arguments = self._entries.payload(arguments)  # now, because the tool may change them
        self._request = current_request.get()
        self._context = copy_context()
        self._timestamp = datetime.now(UTC)
        self._started = time.perf_counter()

    def returned(self, result: CallToolResult | InputRequiredResult) -> None:
        """Record the result of the tool; a result can be an error although nothing was raised."""
        if isinstance(result, InputRequiredResult):
            self._record("input_required")
            return
        summary = self._entries.text(_summary(result), limit=SUMMARY_LENGTH)
        if result.is_error:
            self._record("error", output_summary=summary, error_message=summary, error_type="tool_error")
        else:
            self._record("success", output_summary=summary)

    def failed(self, error: BaseException) -> None:
        """Record the exception that the tool raised, which the client does not see."""
        cause = _cause(error)
        self._record(_status(error), error_message=self._entries.error_text(cause), error_type=class_name(cause))

    def abandoned(self, reason: str) -> None:
        """Record that the server ended before the tool; callable from any thread."""
        self._context.run(self._record, "cancelled", error_message=reason)

    def _record(
        self,
        status: Status,
        *,
        output_summary: str | None = None,
        error_message: str | None = None,
        error_type: str | None = None,
    ) -> None:
        duration_ms = (time.perf_counter() - self._started) * 1000
        message = f"{self._name}: {status} in {duration_ms:.1f} ms"
        entry = self._entries.new("tool_execution", LEVEL_OF[status], self._timestamp, message)
        entry.tool_name = self._name
        entry.duration_ms = duration_ms
        entry.status = status
        entry.input_args = self._arguments
        entry.output_summary = output_summary
        entry.error_message = error_message
        entry.error_type = error_type
        entry.thread_name = self._entries.name(threading.current_thread().name)
        if self._request is not None:
            self._add_caller(entry, self._request)
        UnifiedLogger.emit(entry)

    def _add_caller(self, entry: LogEntry, request: ServerRequestContext[Any, Any]) -> None:
        clean = self._entries.name
        params, token = request.session.client_params, get_access_token()
        if params is not None:
            entry.client_name, entry.client_version = clean(params.client_info.name), clean(params.client_info.version)
        if token is not None:
            entry.principal = clean(token.subject or token.client_id)
        number = request.request_id
        entry.request_id = str(number) if isinstance(number, int) else clean(str(number))
        entry.protocol_version = request.protocol_version
        span = get_current_span().get_span_context()
        if span.is_valid:
            entry.trace_id, entry.span_id = format_trace_id(span.trace_id), format_span_id(span.span_id)
        _, rejection = client_correlation_id(request.meta, clean_id)
        if rejection is not None:
            entry.extra_data = {"correlation_id_replaced": rejection}


def clean_id(text: str) -> str:
    """Return a client's correlation id without secrets."""
    return UnifiedLogger.entries().text(text, limit=MAX_LENGTH)


def _status(error: BaseException) -> Status:
    if isinstance(error, asyncio.CancelledError):
        return "cancelled"
    if isinstance(error, ToolError) and not isinstance(error, UnexpectedToolError):
        if isinstance(error.__cause__, ValidationError):
            return "validation_error"
        if error.__cause__ is None and str(error).startswith("Unknown tool: "):
            return "unknown_tool"
    return "error"


def _cause(error: BaseException) -> BaseException:
    """Return what the tool itself raised, without the SDK's wrappers; causes can form a cycle."""
    seen: set[int] = set()
    while isinstance(error, ToolError | UnexpectedResourceError) and error.__cause__ is not None:
        if id(error) in seen:
            return error
        seen.add(id(error))
        error = error.__cause__
    return error


def _summary(result: CallToolResult) -> str:
    if not result.content:
        return "" if result.structured_content is None else encode_json(result.structured_content)
    if len(result.content) == 1 and isinstance(block := result.content[0], TextContent):
        return block.text
    return "\n".join(block.text if isinstance(block, TextContent) else f"[{block.type}]" for block in result.content)
