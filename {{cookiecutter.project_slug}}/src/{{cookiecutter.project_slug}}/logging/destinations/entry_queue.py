"""A bounded queue between the threads that log and the event loop that delivers."""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from ..entry import LogEntry
from .counters import AtomicCounter

NEVER = sys.maxsize


class EntryQueue:
    """Hold up to `capacity` entries; when full, drop the oldest.

    `put` works from any thread and never blocks. All other methods belong to the consumer, which calls `attach` on its
    event loop first. `on_overflow` is called on that loop when an entry is dropped, until `rearm_overflow`.
    """

    def __init__(self, capacity: int, *, on_overflow: Callable[[], None]) -> None:
        self.capacity = capacity
        self.accepted = AtomicCounter()
        self._entries: deque[LogEntry] = deque(maxlen=capacity)
        self._on_overflow = on_overflow
        self._overflow_is_reported = False
        self._signal_at = NEVER
        self._signal: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, entry: LogEntry) -> None:
        """Add an entry, and signal the consumer once the number it waits for is reached. Never waits, never raises."""
        self.accepted.increment()
        if len(self._entries) == self.capacity and not self._overflow_is_reported:
            self._overflow_is_reported = True
            self._call_consumer(self._on_overflow)
        self._entries.append(entry)
        if len(self._entries) >= self._signal_at:
            self._signal_at = NEVER
            self._call_consumer(self.interrupt)

    def attach(self) -> None:
        """Make the running event loop the consumer's loop."""
        self._loop = asyncio.get_running_loop()
        self._signal = asyncio.Event()
        self.rearm_overflow()

    async def wait_for(self, count: int, *, timeout: float | None = None) -> None:
        """Wait until the queue holds `count` entries, for `interrupt`, or for `timeout` seconds."""
        assert self._signal is not None, "attach() comes first"  # noqa: S101
        self._signal.clear()
        self._signal_at = count
        if len(self._entries) < count:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._signal.wait(), timeout)
        self._signal_at = NEVER

    def interrupt(self) -> None:
        """End `wait_for`; on the consumer's loop only."""
        if self._signal is not None:
            self._signal.set()

    def take(self, limit: int) -> list[LogEntry]:
        """Remove and return the oldest entries, at most `limit`; only the consumer makes the queue shorter."""
        return [self._entries.popleft() for _ in range(min(limit, len(self._entries)))]

    def rearm_overflow(self) -> None:
        """Report the next overflow again."""
        self._overflow_is_reported = False

    def _call_consumer(self, callback: Callable[[], None]) -> None:
        """Run a callback on the consumer's loop; do nothing if it has not started or has ended."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(callback)
