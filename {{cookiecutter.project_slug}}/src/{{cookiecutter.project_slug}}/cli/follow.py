"""`logs --follow`: recorded entries as they arrive, oldest first."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..logging.query import MAX_LIMIT
from .call_starts import without_ended
from .listing import Listing, page_of
from .output import json_line
from .reading import filters_of, read, read_pages

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..logging.destinations.base import LogDestination
    from ..logging.entry import LogEntry
    from .output import Terminal
    from .times import Clock

POLL_INTERVAL = 0.5
"""Seconds between two queries."""
PAGE = 1_000
"""Entries per query; following stops at a page without new entries."""


async def follow(source: LogDestination, options: argparse.Namespace, *, terminal: Terminal, clock: Clock) -> None:
    """Show the newest entries, then each new one, including late arrivals, until interrupted."""
    filters = filters_of(options)
    known = await _known(source, filters)
    newest = await read(source, **filters, **page_of(options))
    listing = None if options.json else Listing(terminal, clock, known=None)
    _print(await without_ended(source, newest[::-1]), listing)
    seen = {entry.entry_id: entry.timestamp for entry in (*newest, *known)}
    if known and len(known) % PAGE == 0:
        filters["since"] = known[-1].timestamp + timedelta.resolution
    while True:
        await asyncio.sleep(POLL_INTERVAL)
        arrived = await _arrived(source, filters, seen)
        _print(await without_ended(source, arrived), listing)
        if len(seen) > 2 * MAX_LIMIT:
            oldest = filters["since"] = min(sorted(seen.values())[-MAX_LIMIT], datetime.now(UTC))
            seen = {entry_id: moment for entry_id, moment in seen.items() if moment >= oldest}


async def _known(source: LogDestination, filters: dict[str, Any]) -> list[LogEntry]:
    """Return the newest entries: one page, or more if a clock ahead of ours has stamped some in our future."""
    known: list[LogEntry] = []
    now = datetime.now(UTC)
    async for page in read_pages(source, size=PAGE, **filters):
        known += page
        if page[-1].timestamp < now:
            break
    return known


async def _arrived(source: LogDestination, filters: dict[str, Any], seen: dict[str, datetime]) -> list[LogEntry]:
    """Return the entries not seen before, oldest first, and add them to `seen`."""
    arrived = await _unseen(source, filters, seen)
    now = datetime.now(UTC)
    if max(seen.values(), default=now) > now:  # pages of entries from the future would hide those of now
        arrived |= await _unseen(source, {**filters, "until": min(filters.get("until", now), now)}, seen)
    seen.update((entry_id, entry.timestamp) for entry_id, entry in arrived.items())
    return sorted(arrived.values(), key=lambda entry: entry.timestamp)


async def _unseen(source: LogDestination, filters: dict[str, Any], seen: dict[str, datetime]) -> dict[str, LogEntry]:
    unseen: dict[str, LogEntry] = {}  # pages overlap when entries arrive meanwhile
    async for page in read_pages(source, size=PAGE, **filters):
        fresh = {entry.entry_id: entry for entry in page if entry.entry_id not in seen}
        if not fresh:
            break
        unseen.update(fresh)
    return unseen


def _print(entries: Sequence[LogEntry], listing: Listing | None) -> None:
    """Print entries as rows, or as JSON without a listing."""
    if listing is None:
        sys.stdout.writelines(json_line(entry.to_dict()) for entry in entries)
    else:
        sys.stdout.writelines(listing.lines(entries))
    sys.stdout.flush()
