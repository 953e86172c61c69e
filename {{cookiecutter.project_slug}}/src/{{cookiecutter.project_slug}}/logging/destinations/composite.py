"""Several destinations as one."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from ..contents import Contents
from ..errors import describe_error
from ..histogram import Histogram, Period
from ..stats import CallStats, Group
from .base import LogDestination, LogEntry
from .driver import declared

_T = TypeVar("_T")

_logger = logging.getLogger(__name__)


class CompositeDestination(LogDestination):
    """Pass every entry to each destination once; log what one of them raises, and never raise it."""

    name = "composite"

    def __init__(self, destinations: Iterable[LogDestination]) -> None:
        self.destinations = tuple(destinations)
        self.driver_loggers = tuple(name for part in self.destinations for name in declared(part, "driver_loggers"))

    async def open(self) -> None:
        """Open every destination."""
        await self._each(lambda destination: destination.open())

    async def write(self, entry: LogEntry) -> None:
        """Write an entry to every destination."""
        await self._each(lambda destination: destination.write(entry))

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write a batch to every destination."""
        await self._each(lambda destination: destination.write_batch(entries))

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query the first readable destination; raise NotImplementedError if none is."""
        return await self._first_readable(lambda destination: destination.query(**filters))

    async def stats(self, *, by: Group = "tool", **filters: Any) -> CallStats:
        """Return the statistics of the first readable destination; raise NotImplementedError if none is."""
        return await self._first_readable(lambda destination: destination.stats(by=by, **filters))

    async def histogram(self, period: Period, **filters: Any) -> Histogram:
        """Return the matching tool calls of a period over time."""
        return await self._first_readable(lambda destination: destination.histogram(period, **filters))

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest entry, as far as it is quick to find."""
        return await self._first_readable(lambda destination: destination.oldest())

    async def contents(self) -> Contents:
        """Return what is stored."""
        return await self._first_readable(lambda destination: destination.contents())

    async def close(self) -> None:
        """Close every destination."""
        await self._each(lambda destination: destination.close())

    async def _first_readable(self, read: Callable[[LogDestination], Awaitable[_T]]) -> _T:
        for destination in self.destinations:
            try:
                return await read(destination)
            except NotImplementedError:
                continue
        msg = "none of the destinations can be queried"
        raise NotImplementedError(msg)

    async def _each(self, call: Callable[[LogDestination], Awaitable[None] | None]) -> None:
        await asyncio.gather(*(_guarded(destination, call) for destination in self.destinations))


async def _guarded(destination: LogDestination, call: Callable[[LogDestination], Awaitable[None] | None]) -> None:
    try:
        result = call(destination)
        if inspect.isawaitable(result):
            await result
    except Exception as error:  # noqa: BLE001 - one destination must not fail another
        _logger.warning("%s: %s", declared(destination, "name"), describe_error(error))
