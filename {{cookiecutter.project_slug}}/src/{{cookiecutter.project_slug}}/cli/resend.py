"""`logs resend`: send entries from this machine again to a production destination that missed them."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..logging.destinations import LOCAL, PRODUCTION
from ..logging.entry import iso_utc
from ..logging.errors import SettingError
from ..logging.factory import SETTING, production_names
from ..logging.query import MAX_LIMIT
from .output import harmless
from .reading import filters_of, open_readable, read, read_pages
from .sending import open_buffer

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Sequence

    from ..config import ServerConfig
    from ..logging.destinations.base import LogDestination
    from ..logging.destinations.buffered import BufferedDestination
    from ..logging.entry import LogEntry

PAGE = 1_000
"""Entries put into the buffer at once; fewer than its capacity, so that it drops none."""
PERIOD = MAX_LIMIT
"""Approximate number of entries in memory."""
PATIENCE = 30.0
"""Seconds without progress after which the destination counts as down."""
BAR_WIDTH = 30


async def resend(options: argparse.Namespace, config: ServerConfig) -> int:
    """Send entries again; return 0 if all arrived. Raise SettingError without a source or a target."""
    if not LOCAL:
        msg = "There is nothing to resend: this project stores no entries on this machine."
        raise SettingError(msg)
    target = _target(options, config)
    async with (
        open_readable(options.source or next(iter(LOCAL)), config) as source,
        open_buffer(target, config, given_as="--to" if options.target else SETTING) as buffer,
    ):
        filters = filters_of(options)
        filters["until"] = options.until or await _end(source, filters)
        total, moments = await _divide(source, filters)
        handed = 0
        async for entries in _periods(source, filters, moments):
            handed += len(entries)
            if left := await _send(entries, buffer, max(total, handed)):
                return _report(buffer, max(total, handed), left)
        return _report(buffer, handed)


def _target(options: argparse.Namespace, config: ServerConfig) -> str:
    configured = production_names(config.model_copy(update={"enable_production_logging": True}))
    name: str = options.target or (configured[0] if len(configured) == 1 else "")
    if not name:
        msg = f"Name the destination to resend to: --to {'|'.join(PRODUCTION) or 'package.module:Class'}"
        raise SettingError(msg)
    return name


async def _end(source: LogDestination, filters: dict[str, Any]) -> datetime:
    """Return a time after all entries, including those stamped by a clock ahead of ours."""
    newest = await read(source, **filters, limit=1)
    return max([datetime.now(UTC), *(entry.timestamp + timedelta.resolution for entry in newest)])


async def _divide(source: LogDestination, filters: dict[str, Any]) -> tuple[int, list[datetime]]:
    """Return the number of entries, and times, oldest first, that divide them into periods of about PERIOD entries.

    Periods are stable, whereas offsets shift with each new entry.
    """
    total, moments = 0, {filters["until"]}
    async for page in read_pages(source, size=PERIOD, **filters):
        total += len(page)
        moments.add(page[-1].timestamp)
    return total, sorted(moments)


async def _periods(
    source: LogDestination, filters: dict[str, Any], moments: list[datetime]
) -> AsyncIterator[list[LogEntry]]:
    """Yield the entries of each period, oldest first, with one period in memory."""
    for since, until in pairwise(moments):
        period = {**filters, "since": since, "until": until}
        yield [entry async for page in read_pages(source, size=PERIOD, **period) for entry in page][::-1]


async def _send(entries: list[LogEntry], buffer: BufferedDestination, total: int) -> list[LogEntry]:
    """Send entries; return the unconfirmed remainder."""
    size = min(PAGE, buffer.capacity)
    for start in range(0, len(entries), size):
        for entry in entries[start : start + size]:
            buffer.put(entry)
        if not await _is_settled(buffer, total):
            return entries[start:]
    return []


async def _is_settled(buffer: BufferedDestination, total: int) -> bool:
    """Wait while the buffer makes progress; return whether all entries are settled."""
    queued, deadline = buffer.counters.queued, time.monotonic() + PATIENCE
    while True:
        await buffer.flush()
        counters = buffer.counters
        _progress(counters.written, total)
        if not counters.queued:
            return True
        if counters.queued < queued:
            queued, deadline = counters.queued, time.monotonic() + PATIENCE
        elif time.monotonic() >= deadline:
            return False


def _report(buffer: BufferedDestination, total: int, left: Sequence[LogEntry] = ()) -> int:
    counters = buffer.counters
    print(f"\n{counters.written} of {total} entries sent to {buffer.name}", file=sys.stderr)
    if counters.last_error:
        print(harmless(f"{buffer.name}: {counters.last_error}"), file=sys.stderr)
    if left:
        print(f"Send the rest with --since {iso_utc(left[0].timestamp)}", file=sys.stderr)
    return 0 if counters.written == total else 1


def _progress(done: int, total: int) -> None:
    filled = BAR_WIDTH * done // max(total, 1)
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (BAR_WIDTH - filled)}] {done}/{total}")
    sys.stderr.flush()
