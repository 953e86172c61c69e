"""stderr, as text for people or JSON lines for collectors."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from ..errors import RefusedError
from ..values import encode_json
from .base import LogDestination, LogEntry, iso_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHUNK = 4_096
"""Bytes written at once: what a pipe that is writable takes without blocking (PIPE_BUF)."""
MILLISECONDS = len("2026-01-31T12:00:00.000")
_UNUSUAL = re.compile(r"[^ -~]")
POLL = 0.05
"""Seconds between two looks at a stderr that nobody reads."""


class ConsoleDestination(LogDestination):
    """Lines on stderr, never on stdout; a reader that is slow or gone holds up nobody."""

    name = "console"

    def __init__(self, log_format: Literal["text", "json"] = "text") -> None:
        self._render = as_json if log_format == "json" else as_text
        self._descriptor: int | None = None

    async def open(self) -> None:
        """Take hold of stderr as it is now: a tool may redirect `sys.stderr` to where no log belongs."""
        await self.close()
        if (descriptor := _stderr()) is not None:
            self._descriptor = os.dup(descriptor)

    async def write(self, entry: LogEntry) -> None:
        """Write one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write entries, waiting for a full pipe without blocking the loop; raise RefusedError without a stderr."""
        text = "".join(map(self._render, entries))
        descriptor = _stderr() if self._descriptor is None else self._descriptor
        if descriptor is None:
            msg = "there is no stderr to write to"
            raise RefusedError(msg)
        for chunk in _chunks(text.encode("utf-8", "backslashreplace")):
            await _write(descriptor, chunk)

    async def close(self) -> None:
        """Let go of stderr."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def write_now(self, entry: LogEntry) -> None:
        """Write one entry at once where stderr takes it, for what is logged after the writer has ended."""
        descriptor = _stderr()
        if descriptor is not None and _is_writable(descriptor):
            with suppress(OSError):
                os.write(descriptor, self._render(entry).encode("utf-8", "backslashreplace")[:CHUNK])


def as_json(entry: LogEntry) -> str:
    """Return an entry as one JSON line without its empty fields."""
    present = {name: value for name, value in entry.to_dict().items() if value is not None}
    return printable_json(encode_json(present)) + "\n"


def as_text(entry: LogEntry) -> str:
    """Return an entry as one line, its traceback indented below; control characters are shown, not obeyed."""
    where = "" if entry.module is None else f"{entry.module}:{entry.line} "
    head = f"{iso_utc(entry.timestamp)[:MILLISECONDS]}Z {entry.level:<8} {entry.correlation_id[:32]} {where}"
    error = " (" + ": ".join(filter(None, (entry.error_type, entry.error_message))) + ")" if entry.error_message else ""
    trace = (entry.extra_data or {}).get("traceback")
    below = "".join(f"    | {printable(line)}\n" for line in trace.splitlines()) if isinstance(trace, str) else ""
    return f"{printable(head + entry.message + error)}\n{below}"


def printable(text: str) -> str:
    """Return a text in which no character can move the cursor, end the line or turn the direction of writing."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def printable_json(text: str) -> str:
    """Return JSON text of the same value in which no character does any of that."""
    return text if text.isprintable() else _UNUSUAL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]


def _chunks(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = start + CHUNK
        if end < len(data):
            end = data.rfind(b"\n", start, end) + 1 or end
        yield data[start:end]
        start = end


async def _write(descriptor: int, chunk: bytes) -> None:
    while chunk:
        if _is_writable(descriptor):
            chunk = chunk[os.write(descriptor, chunk) :]
        else:
            await asyncio.sleep(POLL)


def _stderr() -> int | None:
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _is_writable(descriptor: int) -> bool:
    """Tell whether a small write would not block; where the system cannot say (Windows), take it that it would not."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()  # `select.select` knows no descriptor above 1,024
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(0))
