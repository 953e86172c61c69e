"""What became of the entries: accepted = written + dropped + failed + queued, always."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


class Tally:
    """A count that any thread raises without a lock: `next` on `itertools.count` is one step of the interpreter."""

    __slots__ = ("_count", "add")

    def __init__(self) -> None:
        self._count = itertools.count()
        self.add = self._count.__next__
        """Raise the count by one and return what it was."""

    @property
    def value(self) -> int:
        """How often `add` was called: `itertools.count` shows it in its text only."""
        return int(repr(self._count)[len("count(") : -1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Counters:
    """One destination's numbers since the start.

    `written` reached the destination, `dropped` made room for newer ones or came too late, `failed` were refused by
    the destination for good, `queued` still wait; `retried` counts attempts beyond the first of a batch.
    """

    destination: str
    accepted: int = 0
    written: int = 0
    retried: int = 0
    dropped: int = 0
    failed: int = 0
    queued: int = 0
    last_error: str | None = None

    def __str__(self) -> str:
        numbers = ", ".join(
            f"{name} {getattr(self, name)}" for name in ("written", "retried", "dropped", "failed", "queued")
        )
        return f"{self.destination}: {numbers}" + (f"; last error: {self.last_error}" if self.last_error else "")
