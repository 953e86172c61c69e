"""The parts of an entry as text, the same for the list and for a single call."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ..logging.entry import SUCCESSES
from .output import Style

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..logging.entry import LogEntry

UNFINISHED = "unfinished"
"""The status of a call without an end: it is running, it hangs, or its process was killed."""
PYDANTIC_HEAD = re.compile(r"\A\d+ validation errors? for \S+\n")
PYDANTIC_FIELD = re.compile(r"^(\S+)\n {2}(?=\S)", re.MULTILINE)
PYDANTIC_LINK = re.compile(r"\n +For further information visit \S+")
"""The parts of a validation error of pydantic: how many there are, then for each its field, text and link."""


def end_id_of(entry: LogEntry) -> str | None:
    """Return the id of the entry that ends a call, for the entry that LOG_CALL_STARTS adds at its start."""
    if entry.status != "started":
        return None
    end_id = (entry.extra_data or {}).get("call_entry_id")
    return end_id if isinstance(end_id, str) else None


def is_request(entry: LogEntry) -> bool:
    """Return whether an entry records a request, not a log line."""
    return entry.status is not None and (entry.log_type == "tool_execution" or entry.method is not None)


def name_of(entry: LogEntry) -> str:
    """Return the tool, the prompt or the URI of the resource; for a line, the tool that logged it."""
    return entry.tool_name or entry.target or ""


def status_of(entry: LogEntry) -> str:
    """Return the outcome of a request, or the level of a line; for the start of a call, that it has not ended."""
    if entry.status is None:
        return entry.level
    if end_id_of(entry) is None:
        return entry.status
    return UNFINISHED


def style_of(entry: LogEntry) -> Style:
    """Return the style of an entry's status."""
    if entry.level in {"ERROR", "CRITICAL"}:
        return Style.BAD
    return Style.WARNING if entry.level == "WARNING" or status_of(entry) == UNFINISHED else Style.PLAIN


def reason_of(entry: LogEntry) -> str:
    """Return the reason of a failure, with the class of its exception."""
    return _with_class(entry.error_message or "", entry.error_type or "")


def short_reason_of(entry: LogEntry) -> str:
    """Return the reason on one line that begins with what is wrong, with the class without its module."""
    message, count = PYDANTIC_HEAD.subn("", entry.error_message or "")
    if count:
        message = PYDANTIC_FIELD.sub(r"\1: ", PYDANTIC_LINK.sub("", message))
    return " ".join(_with_class(message, class_of(entry.error_type) or "").split())


def class_of(error_type: str | None) -> str | None:
    """Return the class of an exception without its module."""
    return error_type and error_type.rpartition(".")[2]


def pairs(values: Mapping[str, object] | None) -> str:
    """Return values as `name=value`, as the verb `call` accepts them; each value is JSON."""
    return " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in (values or {}).items())


def details_of(entry: LogEntry, *, is_whole: bool) -> str:
    """Return what the other columns lack, most important first: reason, arguments and result, or message and reason.

    If it is not to be whole, the reason is short, and message and result are on one line.
    """
    message, summary = entry.message, entry.output_summary or ""
    if not is_whole:
        message, summary = " ".join(message.split()), " ".join(summary.split())
    reason = reason_of(entry) if is_whole else short_reason_of(entry)
    if entry.status is None:
        return ": ".join(filter(None, (message, reason)))
    result = f"-> {summary}" if summary and entry.status in SUCCESSES else ""
    return "  ".join(filter(None, (reason, pairs(entry.input_args), result)))


def _with_class(message: str, kind: str) -> str:
    return message or kind if not message or not kind or message == kind else f"{message} ({kind})"
