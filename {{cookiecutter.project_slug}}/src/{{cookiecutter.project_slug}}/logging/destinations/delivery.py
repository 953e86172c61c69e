"""The delivery loop: take batches from a queue and write them to one destination."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

from ..entry import LogEntry, has_valid_time, with_valid_time
from ..errors import AccessError, DeliveryError, InvalidEntryError, PartialDeliveryError
from .base import LogDestination
from .counters import Counters
from .driver import declared
from .entry_queue import EntryQueue
from .failure_reporter import REPORT_INTERVAL, FailureReporter

OUTAGE_PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds before the first, second, ... attempt at a destination that is down; the last one repeats."""
LAST_ATTEMPTS = 2  # consecutive failures after which a drain gives up
INVALID_ENTRY_PAUSES = (0.01, 1.0)
"""Shortest and longest pause after an invalid entry, which doubles each time: for destinations that reject all."""


class Delivery:
    """Write the entries of `queue` to a destination; retry a failed batch until newer entries fill the queue."""

    def __init__(self, destination: LogDestination, *, capacity: int, batch_size: int, linger: float) -> None:
        self.destination = destination
        self.queue = EntryQueue(capacity, on_overflow=self._report_overflow)
        self.written = 0
        self.failed = 0
        self.is_abandoned = False
        self._batch_size = batch_size
        self._linger = linger
        self._in_flight: list[LogEntry] = []
        self._leftovers = 0  # entries at the end of the batch that the destination cannot store at the moment
        self._part_size = batch_size
        self._consecutive_invalid = 0
        self._flush_target = 0
        self._is_open = False
        self._task: asyncio.Task[None] | None = None
        self._reporter = FailureReporter(declared(destination, "name"))

    @property
    def counters(self) -> Counters:
        """The counts so far, each bounded by what the ones before it leave, because other threads keep counting."""
        accepted, queued = self.queue.accepted.value, 0 if self.is_abandoned else self._queued
        failed = min(self.failed, accepted)
        written = min(self.written, accepted - failed)
        queued = min(queued, accepted - written - failed)
        return Counters(
            destination=self._reporter.name,
            accepted=accepted,
            written=written,
            retried=getattr(self.destination, "retried", 0),
            dropped=accepted - written - failed - queued,
            failed=failed,
            queued=queued,
            last_error=self._reporter.last_error,
        )

    @property
    def _queued(self) -> int:
        return len(self.queue) + len(self._in_flight)

    @property
    def _settled(self) -> int:
        return self.queue.accepted.value - self._queued

    def start(self) -> None:
        """Open the destination and deliver, in a task on the running event loop, until `close`."""
        self.queue.attach()
        self._is_open = self.is_abandoned = False
        self._closing, self._idle = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"log buffer {self._reporter.name}")

    async def flush(self) -> bool:
        """Wait until all entries accepted so far are settled, or an attempt fails; return whether they are settled."""
        target = self._flush_target = self.queue.accepted.value
        if self._task is not None and not self._task.done():
            self.queue.interrupt()
            self._idle.clear()
            await self._idle.wait()
        return self._settled >= target

    async def close(self) -> None:
        """Deliver the remaining entries while the destination accepts any, then end the task."""
        if self._task is not None and not self._task.done():
            self._closing.set()
            self.queue.interrupt()
            await self._task
        self._task = None

    async def _run(self) -> None:
        await self._deliver_part()
        while True:
            if not self.queue:
                self._idle.set()
                if self._closing.is_set():
                    return
                await self.queue.wait_for(1)
            if not self._closing.is_set() and self._settled >= self._flush_target:
                await self.queue.wait_for(self._batch_size, timeout=self._linger)
            if not await self._deliver_waiting():
                return

    async def _deliver_waiting(self) -> bool:
        """Deliver while there are full batches; return False if closing ended it early."""
        failures = 0
        while True:
            self._next_batch(is_down=failures > 0)
            written = self.written
            if await self._deliver_part():
                failures = 0
                if self._settled >= self._flush_target:
                    self._idle.set()
                if not self._in_flight and len(self.queue) < self._batch_size:
                    return True
                continue
            self._idle.set()
            failures = 0 if self.written > written else failures + 1
            if self._closing.is_set() and failures >= LAST_ATTEMPTS:
                return False
            await self._pause(OUTAGE_PAUSES[min(max(failures - 1, 0), len(OUTAGE_PAUSES) - 1)])

    def _next_batch(self, *, is_down: bool) -> None:
        """Take the next batch; put new entries before leftovers, so that those delay no others.

        Drop the failed batch if the destination is down and newer entries fill the queue.
        """
        if is_down and len(self.queue) == self.queue.capacity:
            self._in_flight, self._leftovers = [], 0
        if len(self._in_flight) <= self._leftovers:
            self._leftovers = len(self._in_flight)
            taken = self.queue.take(self._batch_size - self._leftovers)
            self._in_flight[:0] = [entry if has_valid_time(entry) else with_valid_time(entry) for entry in taken]

    async def _deliver_part(self) -> bool:
        """Deliver the first part of the batch; return whether to continue without a pause."""
        part = self._in_flight[: self._part_size]
        try:
            await self._write(part)
        except InvalidEntryError as error:
            await self._isolate_invalid(part, error)
        except PartialDeliveryError as error:
            return self._settle_partially(part, error)
        except AccessError as error:
            self._fail(len(part), error)
            del self._in_flight[: len(part)]
            return False
        except GeneratorExit:
            raise
        except BaseException as error:  # any other exception of a driver, even CancelledError, is temporary
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            self._keep(part, error)
            return False
        return True

    async def _write(self, part: list[LogEntry]) -> None:
        """Write a part, and make the next one larger; an empty part only opens the destination."""
        if not self._is_open:
            await self._open_destination()
        if not part:
            return
        await self.destination.write_batch(part)
        self.written += len(part)
        del self._in_flight[: len(part)]
        self._consecutive_invalid = 0
        self._part_size = min(2 * self._part_size, self._batch_size)
        if not self._leftovers or not self._in_flight:
            self._reporter.recovered()

    async def _open_destination(self) -> None:
        try:
            await self.destination.open()
        except InvalidEntryError as error:  # nothing was sent, so no entry is invalid
            raise DeliveryError(str(error)) from error
        self._is_open = True

    async def _isolate_invalid(self, part: list[LogEntry], error: InvalidEntryError) -> None:
        """Halve a part that contains an invalid entry; drop the entry once it is alone."""
        self._part_size = max(1, len(part) // 2)
        if len(part) > 1:
            return
        del self._in_flight[:1]
        self._fail(1, error)
        shortest, longest = INVALID_ENTRY_PAUSES
        await self._pause(min(shortest * 2**self._consecutive_invalid, longest))
        self._consecutive_invalid = min(self._consecutive_invalid + 1, 10)
        self._part_size = min(2, self._batch_size)

    def _settle_partially(self, part: list[LogEntry], error: PartialDeliveryError) -> bool:
        written = len(part) - len(error.retryable) - len(error.invalid)
        del self._in_flight[: len(part)]
        self._leftovers = min(self._leftovers, len(self._in_flight)) + len(error.retryable)
        self._in_flight += error.retryable
        self.written += written
        if written and not error.retryable:
            self._reporter.recovered()
        if error.invalid:
            self._fail(len(error.invalid), error)
        if error.retryable:
            self._keep(part, error)
        return not error.retryable

    def _keep(self, part: list[LogEntry], error: BaseException) -> None:
        """Keep a part for a retry in smaller parts: a slow or busy destination may accept those in time."""
        if part:
            self._part_size = max(1, len(part) // 2)
        self._reporter.down(error, f"{self._queued or ''} entries wait".lstrip(), dropped=self.counters.dropped)

    def _fail(self, count: int, error: Exception) -> None:
        self.failed += count
        consequence = f"{count} entries lost" if count else "entries are dropped until this is fixed"
        self._reporter.report(error, consequence, dropped=self.counters.dropped)

    def _report_overflow(self) -> None:
        self._reporter.overflow(self.queue.capacity, dropped=self.counters.dropped)
        asyncio.get_running_loop().call_later(REPORT_INTERVAL, self.queue.rearm_overflow)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds * random.uniform(0.8, 1.2))  # noqa: S311


def _is_cancelled() -> bool:
    """Return whether our own task is being cancelled, rather than a task of the driver."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
