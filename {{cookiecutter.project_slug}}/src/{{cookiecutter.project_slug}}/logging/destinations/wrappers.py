"""Wrappers around any destination: quick, bounded retries, and fan-out to several as if they were one."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from typing import TYPE_CHECKING, Any, Self

from ..errors import PartialDeliveryError, RefusedError, RejectedError, text_of
from .base import LogDestination, LogEntry, batch_size_of, name_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from ..settings import LogSettings

WRITE_TIMEOUT_MS = 5_000
GROWTH = 2.0
"""Factor between one pause and the next."""
JITTER = 0.25
"""Share by which a pause is lengthened at random, so that processes do not return together."""

_logger = logging.getLogger(__name__)


class RetryWrapper(LogDestination):
    """Tries each write up to `max_attempts` times, with growing pauses and a timeout for each attempt.

    The timeout is not the pause: a slow backend has `write_timeout_ms` for every attempt. RefusedError and
    RejectedError are not tried again.
    """

    def __init__(
        self,
        destination: LogDestination,
        max_attempts: int = 2,
        retry_delay_ms: float = 50,
        *,
        write_timeout_ms: float = WRITE_TIMEOUT_MS,
    ) -> None:
        self.destination = destination
        self.name = name_of(destination)
        self.driver, self.driver_loggers = driver_of(destination), driver_loggers_of(destination)
        self.batch_size = batch_size_of(destination)
        self.max_attempts = max(1, max_attempts)
        self.retry_delay = retry_delay_ms / 1000
        self.write_timeout = write_timeout_ms / 1000
        self.retried = 0

    @classmethod
    def configured(cls, destination: LogDestination, settings: LogSettings) -> Self:
        """Wrap a destination as LOG_RETRY_ATTEMPTS, LOG_RETRY_DELAY_MS and LOG_WRITE_TIMEOUT_MS say."""
        return cls(
            destination,
            settings.log_retry_attempts,
            settings.log_retry_delay_ms,
            write_timeout_ms=settings.log_write_timeout_ms,
        )

    async def open(self) -> None:
        """Open the destination, within the write timeout."""
        await self._in_time(self.destination.open)

    async def write(self, entry: LogEntry) -> None:
        """Write one entry and return when the last attempt is over; a failure is said, never raised."""
        try:
            await self._attempts(lambda: self.destination.write(entry))
        except Exception as error:  # noqa: BLE001 - fire and forget
            _logger.warning("%s: an entry was not written: %s", self.name, text_of(error))

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write a batch; what the last attempt raised is raised, so that the buffer can keep the batch."""
        batch, rejected, reasons = list(entries), list[LogEntry](), list[str]()

        async def attempt() -> None:
            try:
                await self.destination.write_batch(batch)
            except PartialDeliveryError as error:
                rejected.extend(error.rejected)
                reasons.append(text_of(error))
                batch[:] = error.again
                if batch:
                    raise

        try:
            await self._attempts(attempt)
        except Exception as error:
            if len(batch) == len(entries):
                raise
            raise PartialDeliveryError(text_of(error), again=batch, rejected=rejected) from error
        if rejected:
            raise PartialDeliveryError("; ".join(dict.fromkeys(reasons)), again=[], rejected=rejected)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query the destination."""
        return await self.destination.query(**filters)

    async def close(self) -> None:
        """Close the destination."""
        await self.destination.close()

    async def _attempts(self, attempt: Callable[[], Awaitable[None] | None]) -> None:
        for number in range(1, self.max_attempts + 1):
            try:
                await self._in_time(attempt)
            except (RefusedError, RejectedError):
                raise
            except Exception:
                if number == self.max_attempts:
                    raise
            else:
                return
            self.retried += 1
            pause = self.retry_delay * GROWTH ** (number - 1)
            await asyncio.sleep(pause * random.uniform(1, 1 + JITTER))  # noqa: S311 - spreads load, guards nothing

    async def _in_time(self, call: Callable[[], Awaitable[None] | None]) -> None:
        """Await what a call returns, within the write timeout, and say so where that is over."""
        try:
            async with asyncio.timeout(self.write_timeout) as limit:
                result = call()
                if inspect.isawaitable(result):
                    await result
        except TimeoutError as error:
            if not limit.expired():
                raise
            msg = f"no answer within {self.write_timeout:g} s"
            raise TimeoutError(msg) from error


class CompositeDestination(LogDestination):
    """Hands every entry to each destination once; none delays or fails another."""

    name = "composite"

    def __init__(self, destinations: Iterable[LogDestination]) -> None:
        self.destinations = tuple(destinations)
        self.driver_loggers = tuple(name for part in self.destinations for name in driver_loggers_of(part))

    async def open(self) -> None:
        """Open every destination."""
        await self._each(lambda destination: destination.open())

    async def write(self, entry: LogEntry) -> None:
        """Write an entry to every destination; what one of them raises is said, never raised."""
        await self._each(lambda destination: destination.write(entry))

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write a batch to every destination; what one of them raises is said, never raised."""
        await self._each(lambda destination: destination.write_batch(entries))

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query the first destination that can be read; raise NotImplementedError when none can."""
        for destination in self.destinations:
            try:
                return await destination.query(**filters)
            except NotImplementedError:
                continue
        msg = "none of the destinations can be queried"
        raise NotImplementedError(msg)

    async def close(self) -> None:
        """Close every destination."""
        await self._each(lambda destination: destination.close())

    async def _each(self, call: Callable[[LogDestination], Awaitable[None] | None]) -> None:
        await asyncio.gather(*(_guarded(destination, call) for destination in self.destinations))


def driver_of(destination: object) -> str:
    """Return the module of a destination's driver, none where it names none."""
    driver = getattr(destination, "driver", None)
    return driver if isinstance(driver, str) else ""


def driver_loggers_of(destination: object) -> tuple[str, ...]:
    """Return the names of the loggers of a destination's driver."""
    names = getattr(destination, "driver_loggers", None)
    return tuple(name for name in names if isinstance(name, str)) if isinstance(names, (tuple, list)) else ()


async def _guarded(destination: LogDestination, call: Callable[[LogDestination], Awaitable[None] | None]) -> None:
    try:
        result = call(destination)
        if inspect.isawaitable(result):
            await result
    except Exception as error:  # noqa: BLE001 - one destination's failure is not another's
        _logger.warning("%s: %s", name_of(destination), text_of(error))
