"""A bounded buffer in front of one destination, so that nothing waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from ..contents import Contents
from ..histogram import Histogram, Period
from ..stats import CallStats, Group
from .base import LogDestination, LogEntry
from .counters import Counters
from .delivery import Delivery
from .driver import declared

CAPACITY = 10_000
LINGER = 0.2  # seconds to collect a batch: the best trade between delay and CPU per entry

_T = TypeVar("_T")


class BufferedDestination(LogDestination):
    """Accept entries from any thread without waiting; deliver them in batches on the event loop that called `open`."""

    def __init__(self, destination: LogDestination, *, capacity: int = CAPACITY, linger: float = LINGER) -> None:
        self.destination = destination
        self.name = declared(destination, "name")
        self.driver = declared(destination, "driver")
        self.driver_loggers = declared(destination, "driver_loggers")
        self.capacity = capacity
        self.batch_size = min(declared(destination, "batch_size"), capacity)
        self._linger = linger
        self._delivery = Delivery(destination, capacity=capacity, batch_size=self.batch_size, linger=linger)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.put = self._delivery.queue.put
        """Accept an entry. Never waits, never raises."""

    @property
    def counters(self) -> Counters:
        """The counts so far; exact when no thread is inside `put`."""
        return self._delivery.counters

    async def write(self, entry: LogEntry) -> None:
        """Accept an entry and return at once; start delivery on the running loop unless `open` did."""
        if self._loop is None or self._loop.is_closed():
            await self.open()
        self.put(entry)

    async def open(self) -> None:
        """Start delivery on the running loop; do not wait for the destination to open."""
        self._loop = asyncio.get_running_loop()
        self._delivery.start()

    async def flush(self) -> bool:
        """Wait until all entries accepted so far are settled, or an attempt fails; return whether they are settled."""
        return await self._delivery.flush()

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query the destination on its own loop, after waiting briefly for queued entries to arrive."""
        return await self._after_flush(lambda: self.destination.query(**filters))

    async def stats(self, *, by: Group = "tool", **filters: Any) -> CallStats:
        """Return the statistics of the destination, in the same way."""
        return await self._after_flush(lambda: self.destination.stats(by=by, **filters))

    async def histogram(self, period: Period, **filters: Any) -> Histogram:
        """Return the matching tool calls of a period over time."""
        return await self._after_flush(lambda: self.destination.histogram(period, **filters))

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest entry, as far as it is quick to find."""
        return await self._after_flush(self.destination.oldest)

    async def contents(self) -> Contents:
        """Return what is stored."""
        return await self._after_flush(self.destination.contents)

    async def close(self) -> None:
        """Deliver the remaining entries while the destination accepts any, then close it; count the rest as dropped."""
        await self._delivery.close()
        await self.destination.close()
        self.abandon()

    def abandon(self) -> None:
        """Count the queued entries as dropped from now on."""
        self._delivery.is_abandoned = True

    def restart(self, destination: LogDestination) -> None:
        """Start over, empty, with `destination`: for a forked child with an inherited buffer."""
        self._inherited = self.destination, self._loop, self._delivery  # keep them alive: the parent cleans them up
        BufferedDestination.__init__(self, destination, capacity=self.capacity, linger=self._linger)

    async def _after_flush(self, read: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        loop = self._loop
        if loop is None or loop.is_closed() or loop is asyncio.get_running_loop():
            return await self._read(read)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._read(read), loop))

    async def _read(self, read: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), 1 + self._linger)
        return await read()
