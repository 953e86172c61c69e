"""Poll for new entries, including late ones; return each once."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..logging.query import MAX_LIMIT
from .reading import read_pages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from ..logging.destinations.base import LogDestination
    from ..logging.entry import LogEntry

POLL_INTERVAL = 0.5
"""Seconds between two queries."""
PAGE = 1_000
"""Entries per query; a search for new entries stops at a page without any."""
QUICK_PAGE = 100
"""Entries per query between two queries of whole pages, which take time from the servers that are watched."""
WHOLE_PAGE_INTERVAL = 2.0
"""Seconds until the next query of a whole page, which finds a call that began before many that are shown."""
MAX_LATENESS = timedelta(minutes=15)
"""How old an entry may be when it arrives. What is older is not searched, because each query would read all of it."""


class Arrivals:
    """The matching entries that arrive after `since_now`. A call arrives at its end, with the time of its start."""

    def __init__(self, source: LogDestination, filters: dict[str, Any], known: Sequence[LogEntry]) -> None:
        self._source = source
        self._filters = dict(filters)
        self._seen = {entry.entry_id: entry.timestamp for entry in known}
        self._since = filters.get("since", datetime.min.replace(tzinfo=UTC))
        self._whole_page_due = time.monotonic()
        if known and len(known) % PAGE == 0:
            self._since = known[-1].timestamp + timedelta.resolution

    @classmethod
    async def since_now(cls, source: LogDestination, filters: dict[str, Any]) -> Self:
        """Know the recent entries: one page, or more if a clock ahead of ours has stamped some."""
        known: list[LogEntry] = []
        now = datetime.now(UTC)
        since = max(filters.get("since", now - MAX_LATENESS), now - MAX_LATENESS)
        async for page in read_pages(source, size=PAGE, **{**filters, "since": since}):
            known += page
            if page[-1].timestamp < now:
                break
        return cls(source, filters, known)

    def mark_seen(self, entries: Sequence[LogEntry]) -> None:
        """Leave out entries that are shown already."""
        self._seen.update((entry.entry_id, entry.timestamp) for entry in entries)

    async def next(self) -> list[LogEntry]:
        """Return the entries not returned before, oldest first."""
        now = datetime.now(UTC)
        self._since = max(self._since, now - MAX_LATENESS)
        size = self._page_size()
        arrived = await self._unseen({**self._filters, "since": self._since}, size)
        if max(self._seen.values(), default=now) > now:  # pages of entries from the future would hide those of now
            until = min(self._filters.get("until", now), now)
            arrived |= await self._unseen({**self._filters, "since": self._since, "until": until}, size)
        self.mark_seen(list(arrived.values()))
        self._forget_oldest()
        return sorted(arrived.values(), key=lambda entry: entry.timestamp)

    def _page_size(self) -> int:
        if (now := time.monotonic()) < self._whole_page_due:
            return QUICK_PAGE
        self._whole_page_due = now + WHOLE_PAGE_INTERVAL
        return PAGE

    async def _unseen(self, filters: dict[str, Any], size: int) -> dict[str, LogEntry]:
        unseen: dict[str, LogEntry] = {}  # pages overlap when entries arrive meanwhile
        async for page in read_pages(self._source, size=size, **filters):
            fresh = {entry.entry_id: entry for entry in page if entry.entry_id not in self._seen}
            if not fresh:
                break
            unseen.update(fresh)
        return unseen

    def _forget_oldest(self) -> None:
        """Bound the memory, and what later queries search."""
        if len(self._seen) > 2 * MAX_LIMIT:
            self._since = max(self._since, min(sorted(self._seen.values())[-MAX_LIMIT], datetime.now(UTC)))
            self._seen = {entry_id: moment for entry_id, moment in self._seen.items() if moment >= self._since}
