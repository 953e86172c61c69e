"""`logs resend`: what a production destination missed, sent again from this machine's entries, idempotently."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..choices import LOCAL, PRODUCTION
from ..logging.destinations.base import iso_utc
from ..logging.errors import SettingError
from ..logging.factory import SETTING, open_lane, production_names
from ..logging.query import MAX_LIMIT
from . import harmless
from .logs import every_page, filters_of, open_readable, read

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Sequence

    from ..config import ServerConfig
    from ..logging.destinations.base import LogDestination, LogEntry
    from ..logging.destinations.buffered import BufferedDestination

PAGE = 1_000
"""Entries handed to the buffer at once; fewer than it holds, so that it drops none."""
PERIOD = MAX_LIMIT
"""Entries that are in memory at once, about."""
PATIENCE = 30.0
"""Seconds after which a destination that takes nothing, and refuses nothing, counts as down."""
BAR = 30


async def resend(options: argparse.Namespace, config: ServerConfig) -> int:
    """Send entries again and return 0 when all of them arrived; raises SettingError without a source or a target."""
    if not LOCAL:
        msg = "There is nothing to resend: this project keeps no entries on this machine."
        raise SettingError(msg)
    target = _target(options, config)
    async with (
        open_readable(options.source or next(iter(LOCAL)), config) as source,
        open_lane(target, config, given_as="--to" if options.target else SETTING) as lane,
    ):
        filters = filters_of(options)
        filters["until"] = options.until or await _end(source, filters)
        total, moments = await _divide(source, filters)
        handed = 0
        async for entries in _periods(source, filters, moments):
            handed += len(entries)
            if left := await _send(entries, lane, max(total, handed)):
                return _report(lane, max(total, handed), left)
        return _report(lane, handed)


def _target(options: argparse.Namespace, config: ServerConfig) -> str:
    configured = production_names(config.model_copy(update={"enable_production_logging": True}))
    name: str = options.target or (configured[0] if len(configured) == 1 else "")
    if not name:
        msg = f"Name the destination to resend to: --to {'|'.join(PRODUCTION) or 'package.module:Class'}"
        raise SettingError(msg)
    return name


async def _end(source: LogDestination, filters: dict[str, Any]) -> datetime:
    """Return a moment after all entries that are there, also after those that a clock ahead of ours has stamped."""
    newest = await read(source, **filters, limit=1)
    return max([datetime.now(UTC), *(entry.timestamp + timedelta.resolution for entry in newest)])


async def _divide(source: LogDestination, filters: dict[str, Any]) -> tuple[int, list[datetime]]:
    """Count entries, and return the moments, oldest first, that part them into periods of about PERIOD each.

    Queries give the newest first, and offsets from there move with each entry that arrives meanwhile.
    """
    total, moments = 0, {filters["until"]}
    async for page in every_page(source, size=PERIOD, **filters):
        total += len(page)
        moments.add(page[-1].timestamp)
    return total, sorted(moments)


async def _periods(
    source: LogDestination, filters: dict[str, Any], moments: list[datetime]
) -> AsyncIterator[list[LogEntry]]:
    """Yield the entries of each period, oldest first; only one period is in memory."""
    for since, until in pairwise(moments):
        period = {**filters, "since": since, "until": until}
        yield [entry async for page in every_page(source, size=PERIOD, **period) for entry in page][::-1]


async def _send(entries: list[LogEntry], lane: BufferedDestination, total: int) -> list[LogEntry]:
    """Send entries and return those from the first on of which it is not known that it was taken or refused."""
    size = min(PAGE, lane.capacity)
    for start in range(0, len(entries), size):
        for entry in entries[start : start + size]:
            lane.put(entry)
        if not await _is_delivered(lane, total):
            return entries[start:]
    return []


async def _is_delivered(lane: BufferedDestination, total: int) -> bool:
    """Wait until what was put is taken or refused, as long as some of it is; return whether all of it was."""
    queued, deadline = lane.counters.queued, time.monotonic() + PATIENCE
    while True:
        await lane.flush()
        counters = lane.counters
        _progress(counters.written, total)
        if not counters.queued:
            return True
        if counters.queued < queued:
            queued, deadline = counters.queued, time.monotonic() + PATIENCE
        elif time.monotonic() >= deadline:
            return False


def _report(lane: BufferedDestination, total: int, left: Sequence[LogEntry] = ()) -> int:
    counters = lane.counters
    print(f"\n{counters.written} of {total} entries sent to {lane.name}", file=sys.stderr)
    if counters.last_error:
        print(harmless(f"{lane.name}: {counters.last_error}"), file=sys.stderr)
    if left:
        print(f"What is left can be sent with --since {iso_utc(left[0].timestamp)}", file=sys.stderr)
    return 0 if counters.written == total else 1


def _progress(done: int, total: int) -> None:
    filled = BAR * done // max(total, 1)
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done}/{total}")
    sys.stderr.flush()
