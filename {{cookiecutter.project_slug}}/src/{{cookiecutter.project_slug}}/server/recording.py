"""An MCPServer that records every tool call exactly once, when it ends."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from mcp.server import MCPServer

from ..logging.correlation import begin, correlation, end, has_correlation_id
from ..logging.throttle import Throttle
from .client_id import client_correlation_id
from .recorded_call import RecordedCall, clean_id, current_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.mcpserver import Context
    from mcp.types import CallToolResult, InputRequiredResult

REPORT_INTERVAL = 30.0
"""Seconds between two reports that calls are not recorded."""

_T = TypeVar("_T")

_logger = logging.getLogger(__name__)


class RecordingMCPServer(MCPServer[Any]):
    """An MCPServer that passes its tool calls to UnifiedLogger. Clients notice no difference.

    It overrides the public `call_tool`, which sees raw arguments, unknown tools, validation errors, the real exception
    of a crash, cancellation and nested calls. Middleware and decorators each miss some of these.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.running_calls: set[RecordedCall] = set()
        """In-flight calls. Removing one claims it, so it is recorded exactly once."""
        self._reports = Throttle(REPORT_INTERVAL)
        self.middleware.append(correlate)

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool and record it; raise only what MCPServer.call_tool raises."""
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
        """Record the calls that outlive the server, such as those of sync tools in their threads."""
        for call in tuple(self.running_calls):
            self._end(call, RecordedCall.abandoned, "still running when the server ended")

    def _begin(self, name: str, arguments: dict[str, Any]) -> RecordedCall | None:
        try:
            call = RecordedCall(name, arguments)
        except Exception as error:  # noqa: BLE001 - recording never breaks a tool
            self._report(error)
            return None
        self.running_calls.add(call)
        return call

    def _end(self, call: RecordedCall | None, record: Callable[[RecordedCall, _T], None], outcome: _T) -> None:
        if call is None:
            return
        try:
            self.running_calls.remove(call)
        except KeyError:  # `abandon_calls` has recorded it on another thread
            return
        try:
            record(call, outcome)
        except Exception as error:  # noqa: BLE001 - recording never breaks a tool
            self._report(error)

    def _report(self, error: Exception) -> None:
        if self._reports.ready():
            with suppress(Exception):
                _logger.error("a tool call was not recorded, and others may not be: %r", error)


async def correlate(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Give a request a correlation id, the client's or a new one; as middleware, it covers the SDK's log lines too."""
    chosen, _ = client_correlation_id(ctx.meta, clean_id)
    token, outer = begin(chosen), current_request.set(ctx)
    try:
        return await call_next(ctx)
    finally:
        current_request.reset(outer)
        end(token)
