"""A bounded buffer in front of one destination, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import PartialDeliveryError, RefusedError, RejectedError
from .base import Counters, LogDestination, LogEntry, Tally, batch_size_of, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

CAPACITY = 10_000
LINGER = 0.2
"""Seconds a batch is collected: the knee between delay and CPU per entry."""
PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds before the first, second, ... return to a destination that is down; the last one repeats."""
REJECTION_PAUSES = (0.01, 1.0)
"""Seconds after the first of several entries that are refused in a row, doubled for each, and the most: a destination
that refuses everything is not asked without end."""
SAY_INTERVAL = 30.0
"""Seconds between two complaints about the same destination."""

_logger = logging.getLogger(__name__)


class BufferedDestination(LogDestination):
    """Takes entries at once and delivers them in batches from a task of its own.

    `put` may be called from any thread and never waits. A batch that is given up stays at the head and is tried again
    every few seconds; when `capacity` newer entries wait, the oldest go and are counted.
    """

    def __init__(self, destination: LogDestination, *, capacity: int = CAPACITY, linger: float = LINGER) -> None:
        self.destination = destination
        self.name = name_of(destination)
        self.capacity = capacity
        self.batch_size = min(batch_size_of(destination), capacity)
        self._linger = linger
        self._waiting: deque[LogEntry] = deque(maxlen=capacity)
        self._in_flight: list[LogEntry] = []
        self._part = self.batch_size
        self._accepted = Tally()
        self._written = self._failed = self._refused_in_a_row = 0
        self._awake = self._hurried = self._overflowed = self._closed = False
        self._last_error: str | None = None
        self._said_at = float("-inf")
        self._down_since: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def counters(self) -> Counters:
        """What became of the entries so far; exact whenever no thread is inside `put`."""
        accepted, written, failed = self._accepted.value, self._written, self._failed
        written = min(written, accepted - failed)
        queued = 0 if self._closed else len(self._waiting) + len(self._in_flight)
        queued = min(queued, accepted - written - failed)  # threads go on while this is read
        return Counters(
            destination=self.name,
            accepted=accepted,
            written=written,
            retried=getattr(self.destination, "retried", 0),
            dropped=accepted - written - failed - queued,
            failed=failed,
            queued=queued,
            last_error=self._last_error,
        )

    def put(self, entry: LogEntry) -> None:
        """Take an entry; the oldest goes when the buffer is full. Never waits, never raises, from any thread."""
        self._accepted.add()
        if len(self._waiting) == self.capacity and not self._overflowed:
            self._overflowed = True
            self._notify(self._say_overflow)
        self._waiting.append(entry)
        if not self._awake:
            self._awake = True
            self._notify(self._wake)
        elif not self._hurried and len(self._waiting) >= self.batch_size:
            self._hurried = True
            self._notify(self._hurry)

    async def write(self, entry: LogEntry) -> None:
        """Take an entry and return at once."""
        self.put(entry)

    async def open(self) -> None:
        """Start delivering on the running loop; the destination is opened by the task, not waited for."""
        self._loop, self._overflowed = asyncio.get_running_loop(), False
        self._event, self._full = asyncio.Event(), asyncio.Event()
        self._closing, self._idle = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"log buffer {self.name}")

    async def flush(self) -> None:
        """Wait until what was taken so far is delivered or refused, or an attempt at it has failed."""
        if self._task is not None and not self._task.done():
            self._wake()
            self._hurry()
            self._idle.clear()
            await self._idle.wait()

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query the destination on its own loop, after what waits was given a moment to arrive."""
        if self._loop is None or self._loop is asyncio.get_running_loop():
            return await self._query(filters)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._query(filters), self._loop))

    async def close(self) -> None:
        """Deliver what waits, one attempt a batch, then close the destination; what is left counts as dropped."""
        if self._task is not None:
            self._closing.set()
            self._wake()
            self._hurry()
            await self._task
            self._task = None
        await self.destination.close()
        self._closed = True

    def abandon(self) -> None:
        """Give up on what waits: it counts as dropped from now on."""
        self._closed = True

    def restart(self, destination: LogDestination) -> None:
        """Begin anew and empty with `destination`: what a forked child does with the buffer it inherited."""
        self._inherited = self.destination, self._loop, self._task  # kept: their cleanup belongs to the parent
        BufferedDestination.__init__(self, destination, capacity=self.capacity, linger=self._linger)

    def _notify(self, wake: Callable[[], None]) -> None:
        """Run `wake` on the buffer's loop; a loop that is not there yet, or no more, is no reason to fail."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(wake)

    def _wake(self) -> None:
        self._event.set()

    def _hurry(self) -> None:
        self._full.set()

    async def _query(self, filters: dict[str, Any]) -> list[LogEntry]:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), 1 + self._linger)
        return await self.destination.query(**filters)

    async def _run(self) -> None:
        await self._open_destination()
        while True:
            self._awake = self._hurried = False
            if not self._waiting:
                self._idle.set()
                if self._closing.is_set():
                    return
                await self._event.wait()
            self._event.clear()
            self._awake = True
            await self._collect()
            if not await self._deliver_all():
                return

    async def _collect(self) -> None:
        if len(self._waiting) < self.batch_size and not self._closing.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), self._linger)
        self._hurried = True
        self._full.clear()

    async def _deliver_all(self) -> bool:
        """Deliver what waits as long as it fills batches; return False when closing cut that short."""
        failures = 0
        while True:
            self._next_batch()
            if await self._deliver():
                failures = 0
                if not self._in_flight and len(self._waiting) < self.batch_size:
                    return True
                continue
            self._idle.set()
            if self._closing.is_set():
                return False
            await self._pause(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    def _next_batch(self) -> None:
        """Take the next entries in flight, and let the ones that failed go when newer ones fill the buffer."""
        if self._in_flight and len(self._waiting) < self.capacity:
            return
        self._in_flight = []
        with suppress(IndexError):
            for _ in range(self.batch_size):
                self._in_flight.append(self._waiting.popleft())

    async def _deliver(self) -> bool:
        """Write the first part of what is in flight and return whether to go on at once.

        The part is halved with every failure, down to the one entry that may be at fault, and grows again.
        """
        part = self._in_flight[: self._part]
        if not part:
            return True
        try:
            await self.destination.write_batch(part)
        except RejectedError as error:
            if len(part) > 1:
                self._part = len(part) // 2
                return True
            self._refuse(1, error)
            shortest, longest = REJECTION_PAUSES
            await self._pause(min(shortest * 2**self._refused_in_a_row, longest))
            self._refused_in_a_row = min(self._refused_in_a_row + 1, 10)
        except PartialDeliveryError as error:
            return self._settle(part, error)
        except RefusedError as error:
            self._refuse(len(part), error)
            del self._in_flight[: len(part)]
            return False
        except BaseException as error:  # whatever a driver raises, CancelledError too, is passing trouble
            if self._closing.is_set() and isinstance(error, asyncio.CancelledError):
                raise
            self._keep(part, error)
            return False
        else:
            self._written += len(part)
            self._refused_in_a_row = 0
            self._recovered()
        del self._in_flight[: len(part)]
        self._part = min(2 * self._part, self.batch_size)
        return True

    def _settle(self, part: list[LogEntry], error: PartialDeliveryError) -> bool:
        taken = len(part) - len(error.again) - len(error.rejected)
        self._in_flight[: len(part)] = error.again
        self._written += taken
        if taken and not error.again:
            self._recovered()
        if error.rejected:
            self._refuse(len(error.rejected), error)
        if error.again:
            self._keep(part, error)
        return not error.again

    def _keep(self, part: list[LogEntry], error: BaseException) -> None:
        """Leave a part where it is, to be sent in smaller ones: a slow or busy destination may take those in time."""
        self._part = max(1, len(part) // 2)
        self._down_since = self._down_since or time.monotonic()
        self._say(error, f"{len(self._waiting) + len(self._in_flight)} entries wait")

    def _recovered(self) -> None:
        if self._down_since is not None:
            if self._said_at >= self._down_since:  # what was not said is not taken back
                _logger.warning("%s: delivering again after %.0f s", self.name, time.monotonic() - self._down_since)
            self._down_since = None

    def _refuse(self, count: int, error: Exception) -> None:
        self._failed += count
        self._say(error, f"{count} entries lost")

    def _say(self, error: BaseException, consequence: str) -> None:
        """Say that delivery fails, once in a while: this runs on the writer's thread, so it reaches stderr only."""
        self._last_error = str(error) or type(error).__name__
        if time.monotonic() - self._said_at >= SAY_INTERVAL:
            self._said_at = time.monotonic()
            dropped = self.counters.dropped
            _logger.error("%s: %s (%s, %d dropped so far)", self.name, self._last_error, consequence, dropped)

    def _say_overflow(self) -> None:
        """Say that entries come faster than they go, and listen again for that after a while."""
        dropped = self.counters.dropped
        _logger.error("%s: its buffer of %d entries is full (%d dropped so far)", self.name, self.capacity, dropped)
        asyncio.get_running_loop().call_later(SAY_INTERVAL, self._listen)

    def _listen(self) -> None:
        self._overflowed = False

    async def _open_destination(self) -> None:
        try:
            await self.destination.open()
        except BaseException as error:  # as in `_deliver`; the first write opens it again
            if self._closing.is_set() and isinstance(error, asyncio.CancelledError):
                raise
            self._down_since = time.monotonic()
            self._say(error, "entries wait")

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds * random.uniform(0.8, 1.2))  # noqa: S311
