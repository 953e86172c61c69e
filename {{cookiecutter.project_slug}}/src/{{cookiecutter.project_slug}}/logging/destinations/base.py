"""The interface every destination implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Self

from ..contents import Contents
from ..entry import LogEntry
from ..histogram import Histogram, Period, histogram_of
from ..query import MAX_LIMIT
from ..settings import LogSettings
from ..stats import CallStats, Group, stats_of

__all__ = ["BatchDestination", "LogDestination", "LogEntry"]

RETENTION_INTERVAL = 3_600.0  # seconds between two deletions of expired entries


class LogDestination(ABC):
    """A place where entries go. The constructor only stores settings; `open` connects.

    All methods run on the event loop of the destination's writer thread. Raise whatever goes wrong: the wrappers retry,
    count and report it, and `errors` lists the exceptions with a special meaning.
    """

    name: str = "custom"  # in settings, counters and messages
    settings_class: ClassVar[type[LogSettings]] = LogSettings  # the settings this destination declares
    batch_size: int = 500  # maximum entries per `write_batch`
    driver: str = ""  # the module of the driver; it is imported before `open`, while forks are held off
    driver_loggers: tuple[str, ...] = ()  # their records go to stderr only, so that logging never feeds itself
    fix_hint: str = ""  # what the settings must name for entries to arrive; `doctor` shows it after a failure

    @classmethod
    def from_config(cls, config: Any) -> Self:  # noqa: ARG003 - for subclasses that have settings
        """Build the destination from the settings; override it to read them."""
        return cls()

    async def open(self) -> None:
        """Connect and prepare for `write_batch`; called again after a failure."""

    @abstractmethod
    async def write(self, entry: LogEntry) -> None:
        """Deliver one entry; raise if it was not delivered."""

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Deliver several entries; raise if any was not delivered."""
        for entry in entries:
            await self.write(entry)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return matching entries, newest first; `LogQuery` lists the filters."""
        msg = f"{self.name} is write-only: it cannot be queried"
        raise NotImplementedError(msg)

    async def stats(self, *, by: Group = "tool", **filters: Any) -> CallStats:
        """Return statistics of the matching tool calls, by default computed from the newest 10,000.

        Override it where the store can compute them itself; `LogQuery` lists the filters.
        """
        newest = {"log_type": "tool_execution", "limit": MAX_LIMIT, "offset": 0, "slowest": False}
        calls = await self.query(**{**filters, **newest})
        return CallStats(groups=stats_of(calls, by=by), is_complete=len(calls) < MAX_LIMIT)

    async def histogram(self, period: Period, **filters: Any) -> Histogram:
        """Return the matching tool calls of a period over time, by default counted in the newest 10,000.

        Override it where the store can count them itself.
        """
        newest = {"log_type": "tool_execution", "limit": MAX_LIMIT, "offset": 0, "slowest": False}
        calls = await self.query(**{**filters, **newest, "since": period.since, "until": period.until})
        return histogram_of(calls, period, is_complete=len(calls) < MAX_LIMIT)

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest entry, or None if there is none or the store cannot find it quickly."""
        return None

    async def contents(self) -> Contents:
        """Return what is stored, by default only the time of the newest entry."""
        newest = await self.query(limit=1)
        return Contents(newest=newest[0].timestamp if newest else None)

    async def close(self) -> None:
        """Release what `open` acquired; safe to call twice, and without `open`."""


class BatchDestination(LogDestination):
    """A destination that overrides `write_batch` and writes single entries as batches."""

    async def write(self, entry: LogEntry) -> None:
        """Deliver one entry."""
        await self.write_batch([entry])

    @abstractmethod
    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Deliver several entries; raise if any was not delivered."""
