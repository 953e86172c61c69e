"""An MCPServer that records every tool call exactly once, at its end."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedResourceError, UnexpectedToolError
from mcp.types import CallToolResult, InputRequiredResult, TextContent
from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
from pydantic import ValidationError

from ..logging.correlation import MAX_LENGTH, begin, client_correlation_id, correlation, end, has_correlation_id
from ..logging.entries import NAME_LENGTH, CallerInfo, class_name
from ..logging.unified_logger import UnifiedLogger
from ..logging.values import encode_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.mcpserver import Context

    from ..logging.destinations.base import Status
    from ..logging.settings import Level

SUMMARY_LENGTH = 1_000
"""Characters of a tool's output that are kept."""
NOBODY = CallerInfo()
"""The caller of a tool that was called directly, outside of any request."""
LEVEL_OF: dict[Status, Level] = {
    "success": "INFO", "input_required": "INFO", "cancelled": "WARNING", "validation_error": "WARNING",
    "unknown_tool": "WARNING", "error": "ERROR",
}  # fmt: skip
"""The level of a tool call's entry."""
SAY_INTERVAL = 30.0
"""Seconds between two complaints that calls are not recorded."""

_T = TypeVar("_T")

_logger = logging.getLogger(__name__)
_request: ContextVar[ServerRequestContext[Any, Any] | None] = ContextVar("request", default=None)
"""The current request: to ask the tool's own context for it takes twenty times as long."""


class RecordingMCPServer(MCPServer[Any]):
    """An MCPServer whose tool calls reach UnifiedLogger; what clients see is unchanged.

    The public `call_tool` is the place that sees raw arguments, unknown tools, validation errors, the real exception
    of a crash, cancellation and nested calls; middleware and decorators each miss some.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.running_calls: set[RecordedCall] = set()
        """The calls without an entry: who takes one out of here records it, so that nobody else does."""
        self._said_at = float("-inf")
        self.middleware.append(correlate)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool and record it; raises what MCPServer.call_tool raises, and nothing that recording does."""
        if not has_correlation_id():
            with correlation():
                return await self.call_tool(name, arguments, context)
        call = self._begin(name, arguments)
        try:
            result = await super().call_tool(name, arguments, context)
        except BaseException as error:
            self._end(call, RecordedCall.failed, error)
            raise
        self._end(call, RecordedCall.returned, result)
        return result

    def abandon_calls(self) -> None:
        """Record the calls that run on while the process ends, as those of a sync tool may in their thread."""
        for call in tuple(self.running_calls):
            self._end(call, RecordedCall.abandoned, "still running when the server ended")

    def _begin(self, name: str, arguments: dict[str, Any]) -> RecordedCall | None:
        try:
            call = RecordedCall(name, arguments)
        except Exception as error:  # noqa: BLE001 - as in `_end`
            self._say(error)
            return None
        self.running_calls.add(call)
        return call

    def _end(self, call: RecordedCall | None, record: Callable[[RecordedCall, _T], None], outcome: _T) -> None:
        if call is None:
            return
        try:
            self.running_calls.remove(call)
        except KeyError:  # recorded by `abandon_calls`, on another thread
            return
        try:
            record(call, outcome)
        except Exception as error:  # noqa: BLE001 - that a call cannot be recorded is no business of the tool's
            self._say(error)

    def _say(self, error: Exception) -> None:
        """Say that calls are not recorded, once in a while."""
        if time.monotonic() - self._said_at >= SAY_INTERVAL:
            self._said_at = time.monotonic()
            with suppress(Exception):
                _logger.error("a tool call was not recorded, and others may not be: %r", error)


async def correlate(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Give a request the client's correlation id or a new one: as middleware, so that the SDK's lines have it too."""
    chosen, _ = client_correlation_id(ctx.meta, _clean_id)
    token, outer = begin(chosen), _request.set(ctx)
    try:
        return await call_next(ctx)
    finally:
        _request.reset(outer)
        end(token)


def _clean_id(text: str) -> str:
    return UnifiedLogger.entries().text(text, limit=MAX_LENGTH)


class RecordedCall:
    """One tool call between its begin and its entry."""

    __slots__ = ("_arguments", "_context", "_entries", "_name", "_request", "_started", "_timestamp")

    def __init__(self, name: str, arguments: dict[str, Any]) -> None:
        self._entries = UnifiedLogger.entries()
        self._name = self._entries.name(name)
        self._arguments = self._entries.payload(arguments)  # now: the tool may change them
        self._request = _request.get()
        self._context = copy_context()
        self._timestamp = datetime.now(UTC)
        self._started = time.perf_counter()

    def returned(self, result: CallToolResult | InputRequiredResult) -> None:
        """Record what the tool returned: a result may be an error that nobody raised."""
        if isinstance(result, InputRequiredResult):
            self._record("input_required")
            return
        summary = self._entries.text(_summary(result), limit=SUMMARY_LENGTH)
        if result.is_error:
            self._record("error", summary, error_message=summary, error_type="tool_error")
        else:
            self._record("success", summary)

    def failed(self, error: BaseException) -> None:
        """Record what the tool raised: the real exception, which the client does not see."""
        cause = _cause(error)
        message = self._entries.error_text(cause)
        self._record(_status(error), error_message=message, error_type=class_name(cause))

    def abandoned(self, reason: str) -> None:
        """Record that the server ends before the tool does; from any thread."""
        self._context.run(self._record, "cancelled", error_message=reason)

    def _record(
        self,
        status: Status,
        output_summary: str | None = None,
        *,
        error_message: str | None = None,
        error_type: str | None = None,
    ) -> None:
        entry = self._entries.tool_call(
            self._name, LEVEL_OF[status], status, self._timestamp, (time.perf_counter() - self._started) * 1000,
            self._arguments, output_summary, error_message, error_type, self._notes(), self._caller(),
        )  # fmt: skip
        UnifiedLogger.emit(entry)

    def _notes(self) -> dict[str, Any] | None:
        meta = self._request.meta if self._request is not None else None
        if not meta:
            return None
        _, note = client_correlation_id(meta, _clean_id)
        return {"correlation_id_replaced": note} if note is not None else None

    def _caller(self) -> CallerInfo:
        request, clean = self._request, self._entries.name
        if request is None:
            return NOBODY
        params = request.session.client_params
        client = params.client_info if params is not None else None
        number = request.request_id
        token = get_access_token()
        span = get_current_span().get_span_context()
        return CallerInfo(
            clean(client.name) if client is not None else None,
            clean(client.version) if client is not None else None,
            request.protocol_version,
            str(number) if isinstance(number, int) else self._entries.text(str(number), limit=NAME_LENGTH),
            clean(token.subject or token.client_id) if token is not None else None,
            format_trace_id(span.trace_id) if span.is_valid else None,
            format_span_id(span.span_id) if span.is_valid else None,
        )


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
    """Return what the tool itself raised, below the SDK's wrappers; errors may cause each other, or themselves."""
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
