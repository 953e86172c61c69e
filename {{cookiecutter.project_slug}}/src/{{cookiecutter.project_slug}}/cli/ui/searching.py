"""Search for a while, period by period, newest first: what is found so far can be shown while the search goes on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...logging.entry import LogEntry
from ..reading import one_sentence, read
from .paging import Position, end_of, narrowed

if TYPE_CHECKING:
    from ...logging.destinations.base import LogDestination

FIRST_PERIOD = timedelta(hours=1)
"""How much is searched at first; the next periods are longer as long as each is searched quickly."""
QUICK, SLOW = 0.1, 0.5
"""Seconds: a period that takes less time is followed by a longer one, one that takes more by a shorter one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a search has found, and where it goes on; None at the end.

    `share` of the time since the oldest entry is searched, 0 to 1; None if the oldest entry is not known.
    """

    entries: list[LogEntry]
    next: Position | None
    share: float | None


async def search(
    source: LogDestination, filters: dict[str, Any], *, after: Position | None, size: int, seconds: float
) -> Found:
    """Return matching entries, newest first: `size`, or those that are found in about these seconds."""
    deadline = time.monotonic() + seconds
    oldest = await _oldest(source)
    bottom = max(filter(None, (oldest, filters.get("since"))), default=None)
    found, position, period, now = list[LogEntry](), after, FIRST_PERIOD, datetime.now(UTC)
    top = min(position.until if position else now, filters.get("until", now))
    while True:
        start = None if bottom is None or top - bottom <= period else top - period
        began = time.monotonic()
        window = narrowed(filters, position) | ({} if start is None else {"since": start})
        entries = await read(source, **window, limit=size - len(found))
        found += entries
        if len(found) == size:
            position = end_of(entries, position)
            return Found(entries=found, next=position, share=_share(position.moment, bottom, now))
        if start is None:
            return Found(entries=found, next=None, share=1.0)
        top, position = start, Position(start - timedelta.resolution, 0)
        if time.monotonic() >= deadline:
            return Found(entries=found, next=position, share=_share(top, bottom, now))
        period = _next_period(period, time.monotonic() - began)


async def _oldest(source: LogDestination) -> datetime | None:
    with one_sentence(source):
        return await source.oldest()


def _next_period(period: timedelta, seconds: float) -> timedelta:
    if seconds < QUICK:
        return 4 * period
    return period / 2 if seconds > SLOW else period


def _share(top: datetime, bottom: datetime | None, now: datetime) -> float | None:
    if bottom is None:
        return None
    if bottom >= now:
        return 1.0
    return min(max((now - top) / (now - bottom), 0.0), 1.0)
