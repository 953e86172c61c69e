"""A wrapper that retries failed writes quickly."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from ..contents import Contents
from ..errors import AccessError, InvalidEntryError, PartialDeliveryError, describe_error
from ..histogram import Histogram, Period
from ..stats import CallStats, Group
from .base import LogDestination, LogEntry
from .driver import declared

WRITE_TIMEOUT_MS = 5_000
GROWTH = 2.0  # factor between one pause and the next
JITTER = 0.25  # random share added to each pause, so that processes do not retry at the same moment

_logger = logging.getLogger(__name__)


class RetryWrapper(LogDestination):
    """Try each write up to `max_attempts` times with growing pauses; each attempt may take `write_timeout_ms`."""

    def __init__(
        self,
        destination: LogDestination,
        max_attempts: int = 2,
        retry_delay_ms: float = 50,
        *,
        write_timeout_ms: float = WRITE_TIMEOUT_MS,
    ) -> None:
        self.destination = destination
        self.name = declared(destination, "name")
        self.driver = declared(destination, "driver")
        self.driver_loggers = declared(destination, "driver_loggers")
        self.batch_size = declared(destination, "batch_size")
        self.max_attempts = max(1, max_attempts)
        self.retry_delay = retry_delay_ms / 1000
        self.write_timeout = write_timeout_ms / 1000
        self.retried = 0

    async def open(self) -> None:
        """Open the destination within the write timeout."""
        await self._within_timeout(self.destination.open)

    async def write(self, entry: LogEntry) -> None:
        """Write one entry; return after the last attempt and log a failure instead of raising it."""
        try:
            await self._attempt(lambda: self.destination.write(entry))
        except Exception as error:  # noqa: BLE001 - fire and forget
            _logger.warning("%s: an entry was not written: %s", self.name, describe_error(error))

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write a batch; raise what the last attempt raised, so that the buffer can keep the batch."""
        batch, invalid, reasons = list(entries), list[LogEntry](), list[str]()

        async def write_remaining() -> None:
            try:
                await self.destination.write_batch(batch)
            except PartialDeliveryError as error:
                invalid.extend(error.invalid)
                reasons.append(describe_error(error))
                batch[:] = error.retryable
                if batch:
                    raise

        try:
            await self._attempt(write_remaining)
        except Exception as error:
            if len(batch) == len(entries):
                raise
            raise PartialDeliveryError(describe_error(error), retryable=batch, invalid=invalid) from error
        if invalid:
            raise PartialDeliveryError("; ".join(dict.fromkeys(reasons)), retryable=[], invalid=invalid)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query the destination."""
        return await self.destination.query(**filters)

    async def stats(self, *, by: Group = "tool", **filters: Any) -> CallStats:
        """Return the statistics of the destination."""
        return await self.destination.stats(by=by, **filters)

    async def histogram(self, period: Period, **filters: Any) -> Histogram:
        """Return the matching tool calls of a period over time."""
        return await self.destination.histogram(period, **filters)

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest entry, as far as it is quick to find."""
        return await self.destination.oldest()

    async def contents(self) -> Contents:
        """Return what is stored."""
        return await self.destination.contents()

    async def close(self) -> None:
        """Close the destination."""
        await self.destination.close()

    async def _attempt(self, call: Callable[[], Awaitable[None] | None]) -> None:
        for attempt in range(1, self.max_attempts + 1):
            try:
                await self._within_timeout(call)
            except (AccessError, InvalidEntryError):
                raise
            except Exception:
                if attempt == self.max_attempts:
                    raise
            else:
                return
            self.retried += 1
            pause = self.retry_delay * GROWTH ** (attempt - 1)
            await asyncio.sleep(pause * random.uniform(1, 1 + JITTER))  # noqa: S311 - not for cryptography

    async def _within_timeout(self, call: Callable[[], Awaitable[None] | None]) -> None:
        """Await a call within the write timeout; raise TimeoutError with a sentence if it takes longer."""
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
