"""stderr: text for people or JSON lines for collectors."""

import asyncio
import os
import select
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from ..entry import iso_utc
from ..errors import AccessError
from ..json_safe import encode_json
from ..printable import printable, printable_json
from .base import BatchDestination, LogEntry

PIPE_BUF = 4_096  # bytes that a writable pipe accepts without blocking
MILLISECONDS = len("2026-01-31T12:00:00.000")
POLL_INTERVAL = 0.05  # seconds between two attempts at a full pipe in non-blocking mode


class ConsoleDestination(BatchDestination):
    """Lines on stderr. A slow or missing reader delays nothing else."""

    name = "console"

    def __init__(self, log_format: Literal["text", "json"] = "text") -> None:
        self._render = as_json if log_format == "json" else as_text
        self._descriptor: int | None = None

    async def open(self) -> None:
        """Duplicate the current stderr, because a tool may redirect `sys.stderr` later."""
        await self.close()
        if (descriptor := _stderr()) is not None:
            self._descriptor = os.dup(descriptor)

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write entries; a full pipe blocks only this thread. Raise AccessError if there is no stderr."""
        text = "".join(map(self._render, entries))
        descriptor = _stderr() if self._descriptor is None else self._descriptor
        if descriptor is None:
            msg = "there is no stderr to write to"
            raise AccessError(msg)
        data = text.encode("utf-8", "backslashreplace")
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:
                await asyncio.sleep(POLL_INTERVAL)

    async def close(self) -> None:
        """Close the duplicate of stderr."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def write_now(self, entry: LogEntry) -> None:
        """Write one entry at once if stderr accepts it: for lines logged after the writer thread has ended."""
        descriptor = _stderr()
        if descriptor is not None and _is_writable(descriptor):
            with suppress(OSError):
                os.write(descriptor, self._render(entry).encode("utf-8", "backslashreplace")[:PIPE_BUF])


def as_json(entry: LogEntry) -> str:
    """Return an entry as one JSON line without its empty fields."""
    present = {name: value for name, value in entry.to_dict().items() if value is not None}
    return printable_json(encode_json(present)) + "\n"


def as_text(entry: LogEntry) -> str:
    """Return an entry as one line, with its traceback indented below and control characters escaped."""
    where = f"{entry.module}:{entry.line} " if entry.line else ""  # a printed line comes from no known place
    head = f"{iso_utc(entry.timestamp)[:MILLISECONDS]}Z {entry.level:<8} {entry.correlation_id[:32]} {where}"
    error = " (" + ": ".join(filter(None, (entry.error_type, entry.error_message))) + ")" if entry.error_message else ""
    below = "".join(f"    | {printable(line)}\n" for line in (entry.traceback or "").splitlines())
    return f"{printable(head + entry.message + error)}\n{below}"


def _stderr() -> int | None:
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _is_writable(descriptor: int) -> bool:
    """Return whether a small write would not block; always True on Windows, which cannot tell."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()  # `select.select` is limited to 1,024 descriptors
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(0))
