"""Fan-out: several destinations as one."""

from __future__ import annotations

import asyncio
import inspect
import logging
from typing import TYPE_CHECKING, Any

from .base import LogDestination, LogEntry, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_logger = logging.getLogger(__name__)


class CompositeDestination(LogDestination):
    """Hands every entry to each destination once; none delays or fails another."""

    name = "composite"

    def __init__(self, destinations: Iterable[LogDestination]) -> None:
        self.destinations = tuple(destinations)

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

    async def _each(self, call: Callable[[LogDestination], Any]) -> None:
        await asyncio.gather(*(_guarded(destination, call) for destination in self.destinations))


async def _guarded(destination: LogDestination, call: Callable[[LogDestination], Any]) -> None:
    try:
        result = call(destination)
        if inspect.isawaitable(result):
            await result
    except Exception as error:  # noqa: BLE001 - one destination's failure is not another's
        _logger.warning("%s: %s", name_of(destination), str(error) or type(error).__name__)
