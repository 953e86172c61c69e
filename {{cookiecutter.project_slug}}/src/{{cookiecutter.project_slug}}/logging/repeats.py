"""Show the lines that a driver repeats once in a while: while its server is down, it may log ten a second."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from .entry import LogEntry

INTERVAL = 30.0  # seconds between two lines that differ only in numbers
MAX_LINES = 500  # different lines that are remembered

_PACKAGE = f"{__name__.partition('.')[0]}."
_DETAILED = ("TRACE", "DEBUG")
_VARYING = re.compile(r"0x[0-9a-f]+|\b(?=\w*\d)[0-9a-f]{4,}\b|\d+", re.IGNORECASE)
"""Numbers, addresses and hexadecimal ids, such as 42, 0x7f3a and 5d41402a."""


@dataclass(slots=True)
class _Line:
    """The last line of a kind, when one was last shown, and how many were not shown since."""

    entry: LogEntry
    shown_at: float
    repeats: int = 0


class RepeatedLines:
    """Decide which lines of drivers are shown. It has no lock, so in a race a count may be too low."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lines: dict[tuple[str | None, ...], _Line] = {}

    def shown(self, entry: LogEntry) -> LogEntry | None:
        """Return a line, with the number of its repeats if there were some; None if one like it was shown recently.

        Details (DEBUG) are always shown, and so are lines of this project, which limits them where it logs them.
        """
        if entry.level in _DETAILED or (entry.module or "").startswith(_PACKAGE):
            return entry
        now, kind = self._now(), _kind(entry)
        line = self._lines.get(kind)
        if line is not None and now - line.shown_at < INTERVAL:
            line.entry, line.repeats = entry, line.repeats + 1
            return None
        if line is None and len(self._lines) >= MAX_LINES:
            self._lines = {}
        self._lines[kind] = _Line(entry, now)
        return entry if line is None else _with_count(entry, line.repeats, now - line.shown_at)

    def rest(self) -> Iterator[LogEntry]:
        """Yield the last line of each kind that was repeated since it was shown, with the number."""
        now = self._now()
        for line in [*self._lines.values()]:
            if line.repeats:
                yield _with_count(line.entry, line.repeats, now - line.shown_at)


def _kind(entry: LogEntry) -> tuple[str | None, ...]:
    texts = (entry.message, entry.error_message)
    return (entry.module, entry.level, entry.error_type, *(text and _VARYING.sub("#", text) for text in texts))


def _with_count(entry: LogEntry, repeats: int, seconds: float) -> LogEntry:
    if not repeats:
        return entry
    times = "once" if repeats == 1 else f"{repeats} times"
    return replace(entry, message=f"{entry.message} (repeated {times} in {seconds:.0f} s)")
