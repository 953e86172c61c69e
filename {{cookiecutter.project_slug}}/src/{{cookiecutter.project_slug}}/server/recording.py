"""An MCPServer that records every request for a tool, a resource or a prompt exactly once, when it ends."""

from __future__ import annotations

import asyncio
import logging
import math
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from anyio import current_effective_deadline
from mcp.server import MCPServer

from ..logging.correlation import begin, correlation, current_tool, end, has_correlation_id
from ..logging.throttle import Throttle
from ..logging.unified_logger import UnifiedLogger
from .client_id import client_correlation_id
from .forks import InThisProcess, keep_signals_from_children
from .recorded_call import RecordedCall, clean_id, current_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.lowlevel.helper_types import ReadResourceContents
    from mcp.server.mcpserver import Context
    from mcp.types import CallToolResult, GetPromptResult, InputRequiredResult
    from pydantic import AnyUrl

    from ..logging.settings import Method

REPORT_INTERVAL = 30.0
"""Seconds between two reports that calls are not recorded."""
REASON_DELAY = 0.05
"""Seconds to wait for the notification that says why a client cancelled a call: the SDK cancels first."""
CHECK_INTERVAL = 5.0
"""Seconds between two thorough checks that no tool has removed or disabled logging."""
SHORT_CALL = 0.05
"""Seconds below which a call is not checked for a cancellation: the check takes 3 us."""
BY_CLIENT = "cancelled by the client"
BY_OUTER_CALL = "cancelled by the call around it"
BY_TOOL = "cancelled by the tool itself"
BY_DISCONNECT = "cancelled because the client disconnected"
BY_SHUTDOWN = "cancelled because the server was shutting down"
STILL_RUNNING = "still running when the server ended"
FAILURE_LOGGERS = (
    "mcp.server.mcpserver.server",
    "mcp.server.runner",
    "mcp.shared.direct_dispatcher",
    "mcp.shared.jsonrpc_dispatcher",
)
"""The SDK's loggers for failed requests. Their lines repeat what the request's entry says."""

_T = TypeVar("_T")

_logger = logging.getLogger(__name__)
_current_call: ContextVar[RecordedCall | None] = ContextVar("call", default=None)
_recorded_failure: ContextVar[BaseException | None] = ContextVar("recorded_failure", default=None)


class RecordingMCPServer(MCPServer[Any]):
    """An MCPServer that passes its requests to UnifiedLogger. Clients notice no difference.

    It overrides the public `call_tool`, which sees raw arguments, unknown tools, validation errors, the real exception
    of a crash, cancellation and nested calls; `read_resource` and `get_prompt` likewise. Middleware and decorators each
    miss some of these.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.running_calls: set[RecordedCall] = set()
        """In-flight calls. Removing one claims it, so it is recorded exactly once."""
        self.cancel_reason: str | None = None
        """Why the server cancels its calls, once it does."""
        self._reports = Throttle(REPORT_INTERVAL)
        self._checks = Throttle(CHECK_INTERVAL)
        self._reported: set[tuple[str, str]] = set()
        self.middleware.append(self._observe)
        for name in FAILURE_LOGGERS:
            logging.getLogger(name).addFilter(_is_not_recorded_yet)

    def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> Coroutine[Any, Any, CallToolResult | InputRequiredResult]:
        """Call a tool and record it; raise only what MCPServer.call_tool raises."""
        return self._recorded("tools/call", name, arguments, partial(super().call_tool, name, arguments, context))

    async def read_resource(
        self, uri: AnyUrl | str, context: Context[Any, Any] | None = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        """Read a resource and record it; raise only what MCPServer.read_resource raises."""
        return await self._recorded("resources/read", str(uri), None, partial(super().read_resource, uri, context))

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        """Get a prompt and record it; raise only what MCPServer.get_prompt raises."""
        return await self._recorded(
            "prompts/get", name, arguments, partial(super().get_prompt, name, arguments, context)
        )

    def run(self, *args: Any, **kwargs: Any) -> None:
        """Serve as `mcp run` does, then record the calls that the event loop could not."""
        keep_signals_from_children()
        try:
            super().run(*args, **kwargs)
        finally:
            self.abandon_calls()

    def abandon_calls(self) -> None:
        """Record the calls that outlive the server, such as those of sync tools in their threads."""
        for call in tuple(self.running_calls):
            if call.is_cancelled:
                self._end_with_reason(call)
            else:
                self._end(call, RecordedCall.cancelled, call.cancel_reason or STILL_RUNNING)

    def restore_logging(self, who: str) -> None:
        """Capture log lines again if other code, named by `who`, has removed or disabled that; warn about it once."""
        removed = [each for each in UnifiedLogger.restore_capture() if (who, each) not in self._reported]
        if removed:
            self._reported.update((who, each) for each in removed)
            _logger.warning(
                "%s removed or disabled %s. It has been restored: logging is already set up, so remove calls such as "
                "`logger.remove()`, `logging.basicConfig(force=True)`, `logging.config.dictConfig` and "
                "`logging.disable`",
                who,
                " and ".join(removed),
            )

    async def _recorded(
        self, method: Method, target: str, arguments: dict[str, Any] | None, run: Callable[[], Awaitable[_T]]
    ) -> _T:
        if not has_correlation_id():
            with correlation():
                return await self._recorded(method, target, arguments, run)
        call = self._begin(method, target, arguments)
        if call is None:
            with InThisProcess():
                return await run()
        outer, tool = _current_call.set(call), current_tool.set(call.tool_name or current_tool.get())
        try:
            with InThisProcess():
                result = await run()
        except asyncio.CancelledError:
            self._end_cancelled(call)
            raise
        except BaseException as error:
            self._end_failed(call, error)
            raise
        finally:
            current_tool.reset(tool)
            _current_call.reset(outer)
        if _was_cancelled(call):  # a sync tool runs on, but the client gets no result
            self._end_cancelled(call)
        else:
            self._end(call, RecordedCall.returned, result)
        return result

    def _begin(self, method: Method, target: str, arguments: dict[str, Any] | None) -> RecordedCall | None:
        """Return the call to record, or None if it is not to be recorded or cannot be."""
        try:
            if method != "tools/call" and method not in UnifiedLogger.settings().log_methods:
                return None
            call = RecordedCall(method, target, arguments, outer=_current_call.get())
        except Exception as error:  # noqa: BLE001 - recording never breaks a tool
            self._report(error)
            return None
        self.running_calls.add(call)
        return call

    def _end(self, call: RecordedCall, record: Callable[[RecordedCall, _T], None], outcome: _T) -> bool:
        """Record the end of a call; return whether that succeeded."""
        try:
            self.running_calls.remove(call)
        except KeyError:  # `abandon_calls` has recorded it on another thread
            return False
        try:
            record(call, outcome)
            if self._checks.ready() or not UnifiedLogger.is_capturing():
                self.restore_logging("a tool")
        except Exception as error:  # noqa: BLE001 - recording never breaks a tool
            self._report(error)
            return False
        return True

    def _end_failed(self, call: RecordedCall, error: BaseException) -> None:
        if _was_cancelled(call):  # the client got no error
            self._end_cancelled(call)
        elif self._end(call, RecordedCall.failed, error):
            _recorded_failure.set(error)

    def _end_cancelled(self, call: RecordedCall) -> None:
        """Record a cancelled call: now if the reason is known, else once the client's notification can be here."""
        call.mark_cancelled()
        if call.cancel_reason is None and self.cancel_reason is None:
            if _is_cancelled():
                asyncio.get_running_loop().call_later(REASON_DELAY, self._end_with_reason, call)
                return
            call.cancel_reason = BY_TOOL
        self._end_with_reason(call)

    def _end_with_reason(self, call: RecordedCall) -> None:
        is_part = call.outer is not None and not call.outer.is_cancelled
        reason = call.cancel_reason or self.cancel_reason or (BY_OUTER_CALL if is_part else BY_CLIENT)
        self._end(call, RecordedCall.cancelled, reason)

    async def _observe(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Give a request a correlation id, the client's or a new one, which the SDK's log lines get too.

        A middleware. It also sees why a client cancels a request.
        """
        if ctx.method == "notifications/cancelled":
            self._note_cancellation(ctx)
        chosen, rejection = client_correlation_id(ctx.meta, clean_id)
        token, outer = begin(chosen), current_request.set((ctx, rejection))
        try:
            return await call_next(ctx)
        finally:
            current_request.reset(outer)
            end(token)

    def _note_cancellation(self, notification: ServerRequestContext[Any, Any]) -> None:
        params = notification.params or {}
        reason = params.get("reason")
        text = f"{BY_CLIENT}: {clean_id(reason)}" if isinstance(reason, str) and reason else BY_CLIENT
        for call in tuple(self.running_calls):
            if call.is_meant_by(params.get("requestId"), notification):
                call.cancel_reason = text
                if call.is_cancelled:
                    self._end_with_reason(call)

    def _report(self, error: Exception) -> None:
        if self._reports.ready():
            with suppress(Exception):
                _logger.error("a request was not recorded, and others may not be: %r", error)


def _was_cancelled(call: RecordedCall) -> bool:
    """Return whether a call that has just ended was cancelled meanwhile."""
    return call.cancel_reason is not None or (call.seconds > SHORT_CALL and _is_cancelled())


def _is_cancelled() -> bool:
    """Return whether the current task is being cancelled from outside, by anyio or by asyncio."""
    task = asyncio.current_task()
    return current_effective_deadline() == -math.inf or (task is not None and task.cancelling() > 0)


def _is_not_recorded_yet(record: logging.LogRecord) -> bool:
    """Drop the SDK's line about a failure that the entry of the request has recorded with its reason and traceback."""
    failure = _recorded_failure.get()
    if failure is None:
        return True
    if record.exc_info:
        return record.exc_info[1] is not failure
    return record.name != FAILURE_LOGGERS[0] or record.levelno > logging.INFO
