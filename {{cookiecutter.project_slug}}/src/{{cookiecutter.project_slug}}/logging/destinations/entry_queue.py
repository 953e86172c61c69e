"""A bounded queue between the threads that log and the event loop that delivers."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

from .counters import AtomicCounter
from .failure_reporter import REPORT_INTERVAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..entry import LogEntry


class EntryQueue:
    """Hold up to `capacity` entries; when full, drop the oldest.

    `put` works from any thread and never blocks. It wakes the consumer once per batch, not once per entry. All other
    methods belong to the consumer, which calls `attach` on its event loop first.
    """

    def __init__(self, capacity: int, *, batch_size: int, on_overflow: Callable[[], None]) -> None:
        self.capacity = capacity
        self.accepted = AtomicCounter()
        self._entries: deque[LogEntry] = deque(maxlen=capacity)
        self._batch_size = batch_size
        self._on_overflow = on_overflow
        self._loop: asyncio.AbstractEventLoop | None = None
        self._consumer_is_awake = False
        self._batch_is_announced = False
        self._overflow_is_reported = False

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_full(self) -> bool:
        """Whether the next entry drops the oldest one."""
        return len(self._entries) == self.capacity

    @property
    def has_batch(self) -> bool:
        """Whether a full batch is waiting."""
        return len(self._entries) >= self._batch_size

    def put(self, entry: LogEntry) -> None:
        """Add an entry. Never waits, never raises."""
        self.accepted.increment()
        if len(self._entries) == self.capacity and not self._overflow_is_reported:
            self._overflow_is_reported = True
            self._notify(self._report_overflow)
        self._entries.append(entry)
        if not self._consumer_is_awake:
            self._consumer_is_awake = True
            self._notify(self.wake)
        elif not self._batch_is_announced and len(self._entries) >= self._batch_size:
            self._batch_is_announced = True
            self._notify(self.announce_batch)

    def attach(self) -> None:
        """Make the running event loop the consumer's loop."""
        self._loop = asyncio.get_running_loop()
        self._overflow_is_reported = False
        self._entry_event, self._batch_event = asyncio.Event(), asyncio.Event()

    def take(self, limit: int) -> list[LogEntry]:
        """Remove and return the oldest entries, at most `limit`; only the consumer makes the queue shorter."""
        return [self._entries.popleft() for _ in range(min(limit, len(self._entries)))]

    def sleep(self) -> None:
        """Ask the next `put` to wake the consumer."""
        self._consumer_is_awake = self._batch_is_announced = False

    async def wait(self) -> None:
        """Wait until `put` or `wake` is called."""
        await self._entry_event.wait()

    async def wait_for_batch(self, timeout: float) -> None:
        """Wait for a full batch, at most `timeout` seconds."""
        self._entry_event.clear()
        self._consumer_is_awake = True
        if not self.has_batch and timeout:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._batch_event.wait(), timeout)
        self._batch_is_announced = True
        self._batch_event.clear()

    def wake(self) -> None:
        """Wake the consumer; on its loop only."""
        self._entry_event.set()

    def announce_batch(self) -> None:
        """End `wait_for_batch`; on the consumer's loop only."""
        self._batch_event.set()

    def _notify(self, callback: Callable[[], None]) -> None:
        """Run a callback on the consumer's loop; do nothing if it has not started or has ended."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(callback)

    def _report_overflow(self) -> None:
        self._on_overflow()
        asyncio.get_running_loop().call_later(REPORT_INTERVAL, self._rearm_overflow_report)

    def _rearm_overflow_report(self) -> None:
        self._overflow_is_reported = False
