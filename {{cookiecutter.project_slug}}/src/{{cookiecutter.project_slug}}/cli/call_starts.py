"""Tell calls that never ended from those whose end is recorded, too. LOG_CALL_STARTS records both."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from .entry_text import end_id_of
from .reading import read_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from ..logging.destinations.base import LogDestination
    from ..logging.entry import LogEntry

NEAR = timedelta(seconds=1)
"""Starts at most this far apart share one query for their ends."""


async def without_ended(source: LogDestination, entries: Sequence[LogEntry]) -> list[LogEntry]:
    """Hide the start entries of calls that have ended.

    The entry at the end of a call has the time of its start, so the ends of a page are mostly on the same page.
    """
    starts = {end_id: entry.timestamp for entry in entries if (end_id := end_id_of(entry)) is not None}
    ended = starts.keys() & {entry.entry_id for entry in entries}
    for since, until in _periods(moment for end_id, moment in starts.items() if end_id not in ended):
        async for page in read_pages(source, since=since, until=until):
            ended |= starts.keys() & {entry.entry_id for entry in page}
    return [entry for entry in entries if end_id_of(entry) not in ended]


def _periods(moments: Iterable[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """Yield short periods that contain these times, each with its exclusive end."""
    period: list[datetime] = []
    for moment in sorted(moments):
        if period and moment - period[-1] > NEAR:
            yield period[0], period[-1] + timedelta.resolution
            period = []
        period.append(moment)
    if period:
        yield period[0], period[-1] + timedelta.resolution
