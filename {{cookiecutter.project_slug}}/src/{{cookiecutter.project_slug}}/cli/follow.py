"""`logs --follow`: recorded entries as they arrive, oldest first."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from .arrivals import POLL_INTERVAL, Arrivals
from .call_starts import without_ended
from .listing import Listing, page_of
from .output import json_line
from .reading import filters_of, read

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..logging.destinations.base import LogDestination
    from ..logging.entry import LogEntry
    from .output import Terminal
    from .times import Clock


async def follow(source: LogDestination, options: argparse.Namespace, *, terminal: Terminal, clock: Clock) -> None:
    """Show the newest entries, then each new one, including late arrivals, until interrupted."""
    filters = filters_of(options)
    arrivals = await Arrivals.since_now(source, filters)
    newest = await read(source, **filters, **page_of(options))
    arrivals.mark_seen(newest)
    listing = None if options.json else Listing(terminal, clock, known=None)
    _print(await without_ended(source, newest[::-1]), listing)
    while True:
        await asyncio.sleep(POLL_INTERVAL)
        _print(await without_ended(source, await arrivals.next()), listing)


def _print(entries: Sequence[LogEntry], listing: Listing | None) -> None:
    """Print entries as rows, or as JSON without a listing."""
    if listing is None:
        sys.stdout.writelines(json_line(entry.to_dict()) for entry in entries)
    else:
        sys.stdout.writelines(listing.lines(entries))
    sys.stdout.flush()
