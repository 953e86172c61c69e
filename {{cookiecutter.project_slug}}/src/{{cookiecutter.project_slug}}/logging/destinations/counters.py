"""Count what happens to entries."""

from __future__ import annotations

import itertools
from dataclasses import dataclass


class AtomicCounter:
    """A counter that any thread can increment without a lock: `next(itertools.count())` is atomic in CPython."""

    __slots__ = ("_count", "increment")

    def __init__(self) -> None:
        self._count = itertools.count()
        self.increment = self._count.__next__
        """Add one; return the value before."""

    @property
    def value(self) -> int:
        """The number of increments; `itertools.count` shows it only in its text."""
        return int(repr(self._count)[len("count(") : -1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Counters:
    """The counts of one destination since start; accepted = written + dropped + failed + queued, always.

    `written` entries reached the destination, `dropped` ones were discarded (full buffer, shutdown), `failed` ones
    were rejected by the destination, `queued` ones wait. `retried` counts attempts after the first of a batch.
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
        names = ("written", "retried", "dropped", "failed", "queued")
        numbers = ", ".join(f"{name} {getattr(self, name)}" for name in names)
        return f"{self.destination}: {numbers}" + (f"; last error: {self.last_error}" if self.last_error else "")
