"""A bounded buffer in front of one destination, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..errors import DeliveryError, PartialDeliveryError, RefusedError, RejectedError
from .base import SAY_INTERVAL, Complaints, Counters, LogDestination, LogEntry, Tally, batch_size_of, name_of
from .wrappers import driver_loggers_of, driver_of

if TYPE_CHECKING:
    from collections.abc import Callable

CAPACITY = 10_000
LINGER = 0.2
"""Seconds a batch is collected: the knee between delay and CPU per entry."""
PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds before the first, second, ... return to a destination that is down; the last one repeats."""
LAST_ATTEMPTS = 2
"""Attempts in a row at which a destination takes nothing, after which a drain leaves what still waits."""
REJECTION_PAUSES = (0.01, 1.0)
"""Seconds after the first of several entries that are refused in a row, doubled for each, and the most: a destination
that refuses everything is not asked without end."""


class BufferedDestination(LogDestination):
    """Takes entries at once and delivers them in batches from a task of its own.

    `put` may be called from any thread and never waits. A batch that is given up stays at the head and is tried again
    every few seconds; when `capacity` newer entries wait, the oldest go and are counted.
    """

    def __init__(self, destination: LogDestination, *, capacity: int = CAPACITY, linger: float = LINGER) -> None:
        self.destination = destination
        self.name = name_of(destination)
        self.driver, self.driver_loggers = driver_of(destination), driver_loggers_of(destination)
        self.capacity = capacity
        self.batch_size = min(batch_size_of(destination), capacity)
        self._linger = linger
        self._waiting: deque[LogEntry] = deque(maxlen=capacity)
        self._in_flight: list[LogEntry] = []
        self._part_size = self.batch_size
        self._accepted = Tally()
        self._flushed = 0
        self._written = self._failed = self._refused_in_a_row = 0
        self._awake = self._hurried = self._overflowed = self._is_open = self._closed = False
        self._complaints = Complaints(self.name)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def counters(self) -> Counters:
        """What became of the entries so far; exact whenever no thread is inside `put`."""
        accepted, queued = self._accepted.value, 0 if self._closed else self._queued  # threads go on meanwhile:
        failed = min(self._failed, accepted)  # what is read later may count an entry twice, and never leaves one out
        written = min(self._written, accepted - failed)
        queued = min(queued, accepted - written - failed)
        return Counters(
            destination=self.name,
            accepted=accepted,
            written=written,
            retried=getattr(self.destination, "retried", 0),
            dropped=accepted - written - failed - queued,
            failed=failed,
            queued=queued,
            last_error=self._complaints.last_error,
        )

    @property
    def _queued(self) -> int:
        return len(self._waiting) + len(self._in_flight)

    @property
    def _settled(self) -> int:
        return self._accepted.value - self._queued

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
        """Take an entry and return at once; where nobody did `open`, deliver on the running loop."""
        if self._loop is None or self._loop.is_closed():
            await self.open()
        self.put(entry)

    async def open(self) -> None:
        """Start delivering on the running loop; the destination is opened by the task, not waited for."""
        self._loop = asyncio.get_running_loop()
        self._overflowed = self._is_open = self._closed = False
        self._event, self._full = asyncio.Event(), asyncio.Event()
        self._closing, self._idle = asyncio.Event(), asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"log buffer {self.name}")

    async def flush(self) -> bool:
        """Wait until what was taken so far is delivered or refused, or an attempt at it has failed; tell which."""
        target = self._flushed = self._accepted.value
        if self._task is not None and not self._task.done():
            self._wake()
            self._hurry()
            self._idle.clear()
            await self._idle.wait()
        return self._settled >= target

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query the destination on its own loop, after what waits was given a moment to arrive."""
        loop = self._loop
        if loop is None or loop.is_closed() or loop is asyncio.get_running_loop():
            return await self._query(filters)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._query(filters), loop))

    async def close(self) -> None:
        """Deliver what waits, as long as the destination takes any of it, and close; what is left counts as dropped."""
        if self._task is not None and not self._task.done():
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
        await self._deliver()  # opens it
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
            self._next_batch(is_down=failures > 0)
            written = self._written
            if await self._deliver():
                failures = 0
                if self._settled >= self._flushed:
                    self._idle.set()
                if not self._in_flight and len(self._waiting) < self.batch_size:
                    return True
                continue
            self._idle.set()
            failures = 0 if self._written > written else failures + 1
            if self._closing.is_set() and failures >= LAST_ATTEMPTS:
                return False
            await self._pause(PAUSES[min(max(failures - 1, 0), len(PAUSES) - 1)])

    def _next_batch(self, *, is_down: bool) -> None:
        """Take the next entries in flight, and let the ones that failed go when newer ones fill the buffer."""
        if self._in_flight and not (is_down and len(self._waiting) == self.capacity):
            return
        self._in_flight = []
        with suppress(IndexError):
            for _ in range(self.batch_size):
                self._in_flight.append(self._waiting.popleft())

    async def _deliver(self) -> bool:
        """Deliver the first part of what is in flight, halved by each failure; return whether to go on at once."""
        part = self._in_flight[: self._part_size]
        try:
            await self._write(part)
        except RejectedError as error:
            await self._reject(part, error)
        except PartialDeliveryError as error:
            return self._settle_partially(part, error)
        except RefusedError as error:
            self._refuse(len(part), error)
            del self._in_flight[: len(part)]
            return False
        except GeneratorExit:
            raise
        except BaseException as error:  # whatever a driver raises, CancelledError too, is passing trouble
            if isinstance(error, asyncio.CancelledError) and self._task is not None and self._task.cancelling():
                raise  # it is this task that is cancelled, and not one of a driver's
            self._keep(part, error)
            return False
        return True

    async def _write(self, part: list[LogEntry]) -> None:
        """Write a part, and let the next one be larger; a part of no entries only opens the destination."""
        if not self._is_open:
            await self._open_destination()
        if not part:
            return
        await self.destination.write_batch(part)
        self._written += len(part)
        del self._in_flight[: len(part)]
        self._refused_in_a_row = 0
        self._part_size = min(2 * self._part_size, self.batch_size)
        self._complaints.recovered()

    async def _reject(self, part: list[LogEntry], error: RejectedError) -> None:
        """Try the halves of a part apart; of one that is a single entry, let that go."""
        self._part_size = max(1, len(part) // 2)
        if len(part) > 1:
            return
        del self._in_flight[:1]
        self._refuse(1, error)
        shortest, longest = REJECTION_PAUSES
        await self._pause(min(shortest * 2**self._refused_in_a_row, longest))
        self._refused_in_a_row = min(self._refused_in_a_row + 1, 10)
        self._part_size = min(2, self.batch_size)

    def _settle_partially(self, part: list[LogEntry], error: PartialDeliveryError) -> bool:
        taken = len(part) - len(error.again) - len(error.rejected)
        self._in_flight[: len(part)] = error.again
        self._written += taken
        if taken and not error.again:
            self._complaints.recovered()
        if error.rejected:
            self._refuse(len(error.rejected), error)
        if error.again:
            self._keep(part, error)
        return not error.again

    def _keep(self, part: list[LogEntry], error: BaseException) -> None:
        """Leave a part where it is, to be sent in smaller ones: a slow or busy destination may take those in time."""
        self._part_size = max(1, len(part) // 2) if part else self._part_size
        self._complaints.down(error, f"{self._queued or ''} entries wait".lstrip(), dropped=self.counters.dropped)

    def _refuse(self, count: int, error: Exception) -> None:
        self._failed += count
        consequence = f"{count} entries lost" if count else "its entries are lost until that is mended"
        self._complaints.say(error, consequence, dropped=self.counters.dropped)

    def _say_overflow(self) -> None:
        """Say that entries come faster than they go, and listen again for that after a while."""
        self._complaints.overflow(self.capacity, dropped=self.counters.dropped)
        asyncio.get_running_loop().call_later(SAY_INTERVAL, self._listen)

    def _listen(self) -> None:
        self._overflowed = False

    async def _open_destination(self) -> None:
        try:
            await self.destination.open()
        except RejectedError as error:  # of no entry, since none was sent
            raise DeliveryError(str(error)) from error
        self._is_open = True

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds * random.uniform(0.8, 1.2))  # noqa: S311
