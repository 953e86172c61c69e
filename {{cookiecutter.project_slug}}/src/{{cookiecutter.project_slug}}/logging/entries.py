"""How entries are made: from a tool call, a loguru record or a standard library record.

Here, once, values become JSON-safe, redacted and bounded; destinations get clean data and stay short.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
import traceback
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from .correlation import get_correlation_id, new_id
from .destinations.base import LogEntry, LogType
from .errors import text_of
from .redaction import REDACTED, Memo, Redactor
from .values import MAX_TEXT, json_copy, json_safe, safe_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from loguru import Record

SLACK = 4_096
"""Characters beyond the bound that redaction sees, so that no secret is cut in half before it is found."""
NAME_LENGTH = 128
"""Characters of a name of the client's choice that are kept."""
FLAT_ITEMS = 8
INT64 = 2**63
DROPPED = "[dropped: redaction failed]"
FRAMEWORK = frozenset({"anyio", "asyncio", "mcp", "mcp_types", "py.warnings", "sse_starlette", "starlette", "uvicorn"})
"""Top-level loggers whose lines are of type `framework`."""
_SESSION_ID = re.compile(r"\b[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\b")
"""The id of an HTTP session, which the SDK logs: whoever knows it can use the session."""
_OWN_ATTRIBUTES = frozenset({"message", "asctime", "taskName"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerInfo:
    """What every entry says about the process that made it."""

    name: str | None = None
    version: str | None = None
    transport: str | None = None
    hostname: str = field(default_factory=socket.gethostname)


class CallerInfo(NamedTuple):
    """What a tool call's entry says about who called; texts are the client's own and already clean."""

    client_name: str | None = None
    client_version: str | None = None
    protocol_version: str | None = None
    request_id: str | None = None
    principal: str | None = None
    trace_id: str | None = None
    span_id: str | None = None


class EntryFactory:
    """Makes clean entries; never raises because of what they hold."""

    def __init__(
        self, *, server: ServerInfo | None = None, max_text: int = MAX_TEXT, redact_keys: Iterable[str] = ()
    ) -> None:
        self.server = server or ServerInfo()
        self._max_text = max_text
        self._redactor = Redactor(redact_keys)
        self._hint = self._redactor.hint
        self._process_id = os.getpid()
        self.name = Memo(partial(self.text, limit=NAME_LENGTH)).__getitem__
        """Return a name as `text` does; names come again and again."""
        self._is_secret = Memo(self._judge).__getitem__

    def forked(self) -> None:
        """Take note of a new process."""
        self._process_id = os.getpid()

    def text(self, text: str, *, limit: int | None = None) -> str:
        """Return a text without secrets, NUL and lone surrogates, cut to `limit` characters with its size noted."""
        limit = limit or self._max_text
        try:
            if len(text) <= limit and text.isascii() and self._hint(text.lower()) is None:
                return text
            return self._cut(text, limit)
        except Exception:  # noqa: BLE001 - the payload is dropped, the record kept
            return DROPPED

    def _cut(self, text: str, limit: int) -> str:
        """Return a text of any length and kind as `text` does; secrets are taken out before it is cut."""
        size, seen = len(text), limit + SLACK
        kept = self._redactor.text(safe_text(text[:seen], max_text=seen))
        if size <= limit:
            return kept
        shown = kept[:-SLACK] if size > seen else kept  # its last characters may be half a secret
        return f"{shown[:limit]}... [truncated, {size} characters]"

    def payload(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a JSON-safe, redacted and bounded copy of a mapping."""
        try:
            if (flat := self._flat(values)) is not None:
                return flat
            copy, text = json_copy(values, max_text=self._max_text, cut=self._cut)
            clean: dict[str, Any] = self._redactor.value(copy) if self._redactor.suspects(text) else copy
        except Exception:  # noqa: BLE001 - as above
            return {"payload": DROPPED}
        return clean if isinstance(clean, dict) else {"payload": clean}

    def _flat(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a clean copy of a mapping that holds a few plain values only, as most do, and None for any other."""
        if len(values) > FLAT_ITEMS:
            return None
        copy: dict[str, Any] = {}
        for key, value in values.items():
            if type(key) is not str or (is_secret := self._is_secret(key)) is None:
                return None
            kind = type(value)
            if kind is str:
                copy[key] = REDACTED if is_secret else self.text(value)
            elif value is None or kind is bool:
                copy[key] = value
            elif (kind is int and -INT64 <= value < INT64) or (kind is float and isfinite(value)):
                copy[key] = REDACTED if is_secret else value
            else:
                return None
        return copy

    def _judge(self, key: str) -> bool | None:
        """Tell whether a key's value is secret; None where the key itself has to be looked at."""
        if len(key) > NAME_LENGTH or not key.isidentifier() or self._redactor.text(key) != key:
            return None
        return self._redactor.is_secret(key)

    def error_text(self, error: BaseException) -> str:
        """Return an exception's text, or its class where it has none or cannot say."""
        return self.text(text_of(error))

    def tool_call(
        self, tool_name: str, level: str, status: str, timestamp: datetime, duration_ms: float,
        input_args: dict[str, Any], output_summary: str | None, error_message: str | None, error_type: str | None,
        extra_data: dict[str, Any] | None, caller: CallerInfo,
    ) -> LogEntry:  # fmt: skip
        """Return the entry of one finished tool call, of texts that are clean; all by position, as with a line's."""
        server = self.server
        return LogEntry(
            get_correlation_id(), timestamp, level, "tool_execution", f"{tool_name}: {status} in {duration_ms:.1f} ms",
            tool_name, duration_ms, status, input_args, output_summary, error_message, None, None, None,
            self.name(threading.current_thread().name), self._process_id, extra_data, new_id(),
            server.name, server.version, server.transport, caller.client_name, caller.client_version,
            caller.protocol_version, caller.request_id, caller.principal, error_type, caller.trace_id, caller.span_id,
            server.hostname,
        )  # fmt: skip

    def from_loguru(self, record: Record) -> LogEntry:
        """Return the entry of a loguru line."""
        exception = record["exception"]
        return self._line(
            "internal", record["level"].name, datetime.fromtimestamp(record["time"].timestamp(), UTC),
            record["message"], record["name"] or record["module"], record["function"], record["line"],
            record["thread"].name, record["extra"], exception.value if exception is not None else None,
        )  # fmt: skip

    def from_stdlib(self, record: logging.LogRecord) -> LogEntry:
        """Return the entry of a standard library line."""
        module = record.name or "root"
        is_framework = module.partition(".")[0] in FRAMEWORK or module in FRAMEWORK
        message = _message(record)
        if "ession" in message and (is_framework or module == "root"):
            message = _SESSION_ID.sub(REDACTED, message)
        return self._line(
            "framework" if is_framework else "internal", record.levelname, datetime.fromtimestamp(record.created, UTC),
            message, module, record.funcName, record.lineno, record.threadName, _extra(record),
            record.exc_info[1] if record.exc_info else None,
        )  # fmt: skip

    def _line(
        self, log_type: LogType, level: str, timestamp: datetime, message: str, module: str, function: str | None,
        line: int, thread_name: str | None, extra: Mapping[str, Any], error: BaseException | None,
    ) -> LogEntry:  # fmt: skip
        """Return a line's entry; all by position, since this is on every line's way."""
        server, name = self.server, self.name
        data = self.payload(extra) if extra else None
        error_message = error_type = None
        if error is not None:
            error_message, error_type = self.error_text(error), class_name(error)
            data = {**(data or {}), "traceback": self._traceback(error)}
        return LogEntry(
            get_correlation_id(), timestamp, level, log_type, self.text(message), None, None, None, None, None,
            error_message, name(module), function and name(function), line, thread_name and name(thread_name),
            self._process_id, data, new_id(),
            server.name, server.version, server.transport, None, None, None, None, None, error_type, None, None,
            server.hostname,
        )  # fmt: skip

    def _traceback(self, error: BaseException) -> str:
        try:
            lines = traceback.format_exception(error)
        except Exception:  # noqa: BLE001 - __str__ is other people's code
            lines = traceback.format_tb(error.__traceback__)
        return self.text("".join(lines))


def class_name(error: BaseException) -> str:
    """Return an exception class's dotted name, without a module for the built-in ones."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit their template leave the template
        return record.msg if isinstance(record.msg, str) else str(json_safe(record.msg))


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in record.__dict__.items() if name not in _STANDARD}


_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | _OWN_ATTRIBUTES
