"""One request, from its start to its log entry."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver.exceptions import (
    ResourceNotFoundError,
    ToolError,
    UnexpectedResourceError,
    UnexpectedToolError,
)
from mcp.types import CallToolResult, InputRequiredResult
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
from pydantic import ValidationError

from ..logging.correlation import new_id
from ..logging.entries import class_name
from ..logging.json_safe import json_size
from ..logging.unified_logger import UnifiedLogger
from .client_id import MAX_LENGTH
from .private import without_quoted_inputs, without_values
from .results import size_of, summary_of

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from ..logging.entry import LogEntry, LogType, Status
    from ..logging.settings import Level, Method

SUMMARY_LENGTH = 1_000
"""Characters kept of a request's output."""
LEVEL_OF: dict[Status, Level] = {
    "success": "INFO",
    "input_required": "INFO",
    "cancelled": "WARNING",
    "validation_error": "WARNING",
    "unknown_tool": "WARNING",
    "unknown_target": "WARNING",
    "error": "ERROR",
}
"""The log level of each outcome."""
URI_LENGTH = 2_000
"""Characters kept of a resource's URI; names of tools and prompts are shorter."""
SPAN_ID_LENGTH = 16
"""Hexadecimal digits of a W3C span id (https://www.w3.org/TR/trace-context/#parent-id)."""

current_request: ContextVar[tuple[ServerRequestContext[Any, Any] | None, str | None]]
current_request = ContextVar("request", default=(None, None))
"""The current request, and why the correlation id that the client sent with it was rejected.

The SDK's own way to the request takes twenty times as long.
"""


class RecordedCall:
    """A request in progress; exactly one of `returned`, `failed` and `cancelled` records its end."""

    __slots__ = (
        "_arguments",
        "_context",
        "_entries",
        "_entry_id",
        "_given",
        "_input_size",
        "_method",
        "_rejection",
        "_request",
        "_settings",
        "_started",
        "_stopped",
        "_target",
        "_timestamp",
        "cancel_reason",
        "outer",
        "tool_name",
    )

    def __init__(
        self, method: Method, target: str, arguments: dict[str, Any] | None, *, outer: RecordedCall | None = None
    ) -> None:
        self.outer = outer
        """The call that this one is part of."""
        self.cancel_reason: str | None = None
        """Who cancelled the request, once that is known."""
        self._settings = UnifiedLogger.settings()
        self._entries = UnifiedLogger.entries()
        self._method = method
        is_uri = method == "resources/read"
        self._target = self._entries.text(target, limit=URI_LENGTH) if is_uri else self._entries.name(target)
        self.tool_name = self._target if method == "tools/call" else None
        """The tool that is called, or None for a resource or a prompt."""
        self._given = arguments
        self._arguments = None
        if arguments is not None and self._settings.log_arguments:
            self._arguments = self._entries.payload(arguments)  # now, because the tool may change them
        self._input_size = None if arguments is None else json_size(arguments)
        self._request, self._rejection = current_request.get()
        self._context = copy_context()
        self._timestamp = datetime.now(UTC)
        self._started = time.perf_counter()
        self._stopped: float | None = None
        self._entry_id: str | None = None
        if self._settings.log_call_starts:
            self._record_start()

    @property
    def seconds(self) -> float:
        """How long the request has been running, or ran until it was cancelled."""
        return (self._stopped or time.perf_counter()) - self._started

    @property
    def is_cancelled(self) -> bool:
        """Whether the request has ended because it was cancelled."""
        return self._stopped is not None

    def mark_cancelled(self) -> None:
        """End the request here; it is recorded once it is known who cancelled it."""
        self._stopped = time.perf_counter()

    def is_meant_by(self, request_id: object, notification: ServerRequestContext[Any, Any]) -> bool:
        """Return whether a notification about a request id means this request."""
        own, sender = self._request, notification.session.client_params
        if own is None or own.request_id != request_id:
            return False
        if sender is None:  # since protocol 2026-07-28 only requests name their client; over stdio there is only one
            return notification.request is None
        return own.session.client_params is sender

    def returned(self, result: object) -> None:
        """Record a result; a tool's result can be an error although nothing was raised."""
        if isinstance(result, InputRequiredResult):
            self._record("input_required")
            return
        summary = self._entries.text(summary_of(result), limit=SUMMARY_LENGTH) if self._settings.log_results else None
        size = size_of(result)
        if isinstance(result, CallToolResult) and result.is_error:
            self._record(
                "error", output_summary=summary, output_size=size, error_message=summary, error_type="tool_error"
            )
        else:
            self._record("success", output_summary=summary, output_size=size)

    def failed(self, error: BaseException) -> None:
        """Record the exception that the tool, resource or prompt itself raised, which the client does not see."""
        cause, status = _cause(error, self._method), _status(error, self._method)
        self._record(
            status,
            error_message=self._private(self._entries.error_text(cause)),
            error_type=class_name(cause),
            traceback=self._private(self._entries.traceback(cause)) if status == "error" else None,
        )

    def cancelled(self, reason: str) -> None:
        """Record that the request was cancelled; callable from any thread."""
        self._context.run(self._record, "cancelled", error_message=reason)

    def _record_start(self) -> None:
        """Record that the call began; `call_entry_id` is the id of the entry that its end will have."""
        self._entry_id = new_id()
        entry = self._new_entry("framework", "INFO", f"{self._target}: started", is_start=True)
        entry.status = "started"
        entry.extra_data = {**(entry.extra_data or {}), "call_entry_id": self._entry_id}
        UnifiedLogger.emit(entry)

    def _record(
        self,
        status: Status,
        *,
        output_summary: str | None = None,
        output_size: int | None = None,
        error_message: str | None = None,
        error_type: str | None = None,
        traceback: str | None = None,
    ) -> None:
        duration_ms = self.seconds * 1000
        log_type: LogType = "framework" if self.tool_name is None else "tool_execution"
        what = self.tool_name or f"{self._method} {self._target}"
        entry = self._new_entry(log_type, LEVEL_OF[status], f"{what}: {status} in {duration_ms:.1f} ms")
        entry.duration_ms = duration_ms
        entry.status = status
        entry.output_summary = output_summary
        entry.output_size = output_size
        entry.error_message = error_message
        entry.error_type = error_type
        entry.traceback = traceback
        UnifiedLogger.emit(entry)

    def _new_entry(self, log_type: LogType, level: Level, message: str, *, is_start: bool = False) -> LogEntry:
        entry = self._entries.new(log_type, level, self._timestamp, message)
        if self._entry_id is not None and not is_start:
            entry.entry_id = self._entry_id
        entry.method = self._method
        entry.target = self._target
        if self.tool_name is not None:
            entry.tool_name = self.tool_name
        entry.input_args = self._arguments
        entry.input_size = self._input_size
        entry.thread_name = self._entries.name(threading.current_thread().name)
        if self._request is not None:
            self._add_caller(entry, self._request)
        return entry

    def _add_caller(self, entry: LogEntry, request: ServerRequestContext[Any, Any]) -> None:
        clean = self._entries.name
        params, token = request.session.client_params, get_access_token()
        if params is not None:
            entry.client_name, entry.client_version = clean(params.client_info.name), clean(params.client_info.version)
        if token is not None:
            entry.principal = clean(token.subject or token.client_id)
        if request.request is not None and request.request.client is not None:
            entry.client_address = clean(request.request.client.host)
        number = request.request_id
        entry.request_id = str(number) if isinstance(number, int) else clean(str(number))
        entry.protocol_version = request.protocol_version
        _add_span(entry, own_id=self._entry_id or entry.entry_id)
        if self._rejection is not None:
            entry.extra_data = {"correlation_id_replaced": self._rejection}

    def _private(self, text: str) -> str:
        """Return the text of an error without what LOG_ARGUMENTS and LOG_RESULTS keep out of entries."""
        if not (self._settings.log_arguments and self._settings.log_results):
            text = without_quoted_inputs(text)
        return text if self._settings.log_arguments else without_values(text, self._given)


def clean_id(text: str) -> str:
    """Return a client's correlation id without secrets."""
    return UnifiedLogger.entries().text(text, limit=MAX_LENGTH)


def _add_span(entry: LogEntry, *, own_id: str) -> None:
    """Set the trace ids. If the current span is the client's, it is the parent of the call's own span."""
    span = get_current_span()
    context = span.get_span_context()
    if not context.is_valid:
        return
    entry.trace_id, span_id = format_trace_id(context.trace_id), format_span_id(context.span_id)
    if context.is_remote:
        entry.span_id, entry.parent_span_id = own_id[-SPAN_ID_LENGTH:], span_id
        return
    parent = getattr(span, "parent", None)  # only the spans of an OpenTelemetry SDK have one
    entry.span_id, entry.parent_span_id = span_id, None if parent is None else format_span_id(parent.span_id)


def _status(error: BaseException, method: Method) -> Status:
    """Return the outcome of a request that raised; only `error` is the fault of the server."""
    if method == "prompts/get":
        return _status_of_prompt(_prompt_error(error))
    if isinstance(error, ResourceNotFoundError):
        return "unknown_target"
    if isinstance(error, ToolError) and not isinstance(error, UnexpectedToolError):
        if isinstance(error.__cause__, ValidationError):
            return "validation_error"
        if error.__cause__ is None and str(error).startswith("Unknown tool: "):
            return "unknown_tool"
    return "error"


def _status_of_prompt(error: BaseException) -> Status:
    """Return the outcome; the SDK raises plain ValueErrors for the mistakes of clients."""
    if type(error) is ValueError and str(error).startswith("Unknown prompt: "):
        return "unknown_target"
    if type(error) is ValueError and str(error).startswith("Missing required arguments: "):
        return "validation_error"
    return "error"


def _cause(error: BaseException, method: Method) -> BaseException:
    """Return what the request's own code raised, without the SDK's wrappers; causes can form a cycle."""
    if method == "prompts/get":
        return _prompt_error(error)
    seen: set[int] = set()
    while _is_wrapper(error) and error.__cause__ is not None and id(error) not in seen:
        seen.add(id(error))
        error = error.__cause__
    return error


def _is_wrapper(error: BaseException) -> bool:
    """Return whether the SDK has raised an error around another one; a tool may raise a ToolError from another, too."""
    if isinstance(error, UnexpectedToolError | UnexpectedResourceError):
        return True
    return isinstance(error, ToolError) and str(error).startswith("Error executing tool ")


def _prompt_error(error: BaseException) -> BaseException:
    """Return the error below the one or two ValueErrors in which the SDK wraps the errors of a prompt."""
    for _ in range(2):
        if type(error) is ValueError and error.__cause__ is not None:
            error = error.__cause__
    return error
