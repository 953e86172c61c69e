"""Build clean entries from calls and log records: JSON-safe, redacted and bounded, once for all destinations."""

from __future__ import annotations

import logging
import os
import re
import socket
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

from .correlation import current_tool, get_correlation_id
from .entry import LogEntry, LogType
from .errors import describe_error
from .json_safe import MAX_TEXT, json_copy, json_safe, safe_text
from .redaction import REDACTED, Redactor

if TYPE_CHECKING:
    from loguru import Record

OVERLAP = 4_096  # characters beyond the limit that redaction sees, so that truncation never leaves half a secret
NAME_LENGTH = 128  # characters kept of a name that the client chose
CACHED_NAMES = 4_096
FLAT_ITEMS = 8  # items up to which a mapping of plain values takes the fast path
INT64 = 2**63
DROPPED = "[dropped: redaction failed]"
FRAMEWORK = frozenset({"anyio", "asyncio", "mcp", "mcp_types", "py.warnings", "sse_starlette", "starlette", "uvicorn"})
"""Top-level loggers whose lines have the type `framework`."""
_SESSION_ID = re.compile(r"\b[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\b")
"""An HTTP session id, which the SDK logs. It is a secret: it gives access to the session."""
_OWN_ATTRIBUTES = frozenset({"message", "asctime", "taskName"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerInfo:
    """Facts about this process, which every entry contains."""

    name: str | None = None
    version: str | None = None
    transport: str | None = None
    hostname: str = field(default_factory=socket.gethostname)


class EntryFactory:
    """Build clean entries; never raise because of their content."""

    def __init__(
        self,
        *,
        server: ServerInfo | None = None,
        max_text: int = MAX_TEXT,
        redact_keys: Iterable[str] = (),
        redact_except: Iterable[str] = (),
    ) -> None:
        self.server = server or ServerInfo()
        self._max_text = max_text
        self._redactor = Redactor(redact_keys, redact_except)
        self._process_id = os.getpid()
        self._cached_name = lru_cache(CACHED_NAMES)(self._clean_name)

    def update_process_id(self) -> None:
        """Use the id of the current process from now on."""
        self._process_id = os.getpid()

    def text(self, text: str, *, limit: int | None = None) -> str:
        """Return a text without secrets, NUL and lone surrogates, truncated to `limit` characters with its size."""
        limit = limit or self._max_text
        try:
            if len(text) <= limit and text.isascii() and not self._redactor.suspects(text):
                return text
            return self._truncated(text, limit)
        except Exception:  # noqa: BLE001 - drop the payload, keep the record
            return DROPPED

    def name(self, name: str) -> str:
        """Return a short text as `text` does. Names repeat, so results are cached, except those of long names."""
        return self._cached_name(name) if len(name) <= NAME_LENGTH else self._clean_name(name)

    def payload(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a JSON-safe, redacted and bounded copy of a mapping."""
        try:
            if (flat := self._flat_payload(values)) is not None:
                return flat
            copy, text = json_copy(values, max_text=self._max_text, cut=self._truncated)
            clean: dict[str, Any] = self._redactor.value(copy) if self._redactor.suspects(text) else copy
        except Exception:  # noqa: BLE001 - drop the payload, keep the record
            return {"payload": DROPPED}
        return clean if isinstance(clean, dict) else {"payload": clean}

    def error_text(self, error: BaseException) -> str:
        """Return the clean text of an exception."""
        return self.text(describe_error(error))

    def new(self, log_type: LogType, level: str, timestamp: datetime, message: str) -> LogEntry:
        """Return an entry with the facts about this process; the caller sets the other fields, with clean values."""
        entry = LogEntry(get_correlation_id(), timestamp, level, log_type, message)
        entry.tool_name = current_tool.get()
        entry.process_id = self._process_id
        server = self.server
        entry.server_name = server.name
        entry.server_version = server.version
        entry.transport = server.transport
        entry.hostname = server.hostname
        return entry

    def from_loguru(self, record: Record) -> LogEntry:
        """Return the entry of a loguru record."""
        timestamp = _time_of(record["time"])
        entry = self.new("internal", record["level"].name, timestamp, self.text(record["message"]))
        entry.module = self.name(record["name"] or record["module"])
        entry.function = self.name(record["function"])
        entry.line = record["line"]
        entry.thread_name = self.name(record["thread"].name)
        exception = record["exception"]
        self._add_details(entry, record["extra"], exception.value if exception is not None else None)
        return entry

    def from_stdlib(self, record: logging.LogRecord) -> LogEntry:
        """Return the entry of a standard library record."""
        module = record.name or "root"
        is_framework = module.partition(".")[0] in FRAMEWORK or module in FRAMEWORK
        message = _message(record)
        if "ession" in message and (is_framework or module == "root"):
            message = _SESSION_ID.sub(REDACTED, message)
        timestamp = _time_of(record.created)
        log_type: LogType = "framework" if is_framework else "internal"
        entry = self.new(log_type, record.levelname, timestamp, self.text(message))
        entry.module = self.name(module)
        entry.function = record.funcName and self.name(record.funcName)
        entry.line = record.lineno
        entry.thread_name = record.threadName and self.name(record.threadName)
        self._add_details(entry, _extra(record), record.exc_info[1] if record.exc_info else None)
        return entry

    def _add_details(self, entry: LogEntry, extra: Mapping[str, Any], error: BaseException | None) -> None:
        entry.extra_data = self.payload(extra) if extra else None
        if error is not None:
            entry.error_message, entry.error_type = self.error_text(error), class_name(error)
            entry.traceback = self.traceback(error)

    def traceback(self, error: BaseException) -> str:
        """Return the clean traceback of an exception, with its causes; the end of a long one, which has the reason."""
        try:
            lines = traceback.format_exception(error)
        except Exception:  # noqa: BLE001 - __str__ is foreign code
            lines = traceback.format_tb(error.__traceback__)
        text = "".join(lines)
        if len(text) <= self._max_text:
            return self.text(text)
        visible = text[-self._max_text - OVERLAP :]  # its beginning may be half a secret
        clean = self._redactor.text(safe_text(visible, max_text=len(visible)))
        return f"[truncated, {len(text)} characters] ...{clean[-self._max_text :]}"

    def _truncated(self, text: str, limit: int) -> str:
        """Return a text of any length as `text` does: redact first, then truncate."""
        size, visible = len(text), limit + OVERLAP
        clean = self._redactor.text(safe_text(text[:visible], max_text=visible))
        if size <= limit:
            return clean
        shown = clean[:-OVERLAP] if size > visible else clean  # its end may be half a secret
        return f"{shown[:limit]}... [truncated, {size} characters]"

    def _clean_name(self, name: str) -> str:
        return self.text(name, limit=NAME_LENGTH)

    def _flat_payload(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a clean copy of a mapping that has only a few plain values, as most do; None for any other."""
        if len(values) > FLAT_ITEMS:
            return None
        if self._redactor.fields_named_apart(values):
            return None
        copy: dict[str, Any] = {}
        for key, value in values.items():
            if type(key) is not str or self.name(key) != key:  # the key itself needs cleaning
                return None
            kind = type(value)
            if value is None or kind is bool:
                copy[key] = value
            elif kind is str:
                copy[key] = REDACTED if self._redactor.hides(key, value) else self.text(value)
            elif (kind is int and -INT64 <= value < INT64) or (kind is float and isfinite(value)):
                copy[key] = REDACTED if self._redactor.hides(key, value) else value
            else:
                return None
        return copy


def class_name(error: BaseException) -> str:
    """Return the dotted name of an exception's class, without the module for built-in ones."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - keep the template if the arguments do not fit
        return record.msg if isinstance(record.msg, str) else str(json_safe(record.msg))


def _time_of(created: datetime | float) -> datetime:
    """Return the time of a record, or the current time if code has set one that does not exist."""
    try:
        return datetime.fromtimestamp(created.timestamp() if isinstance(created, datetime) else created, UTC)
    except (OverflowError, OSError, TypeError, ValueError):
        return datetime.now(UTC)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in record.__dict__.items() if name not in _STANDARD_ATTRIBUTES}


_STANDARD_ATTRIBUTES = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | _OWN_ATTRIBUTES
