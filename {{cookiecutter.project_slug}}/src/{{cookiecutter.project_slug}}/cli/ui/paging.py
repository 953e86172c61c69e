"""Read page by page without OFFSET, which reads what it skips: a page begins at the time where the last one ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from ...logging.entry import iso_utc
from ...logging.errors import SettingError
from ...logging.query import MAX_OFFSET
from ..reading import read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ...logging.destinations.base import LogDestination
    from ...logging.entry import LogEntry


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: the time of its last entry, and how many entries of exactly this time were shown."""

    moment: datetime
    shown: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the position for the text of another one; raise SettingError for any other text."""
        moment, _, shown = text.rpartition("~")
        try:
            position = cls(datetime.fromisoformat(moment), int(shown))
            is_valid = position.until.tzinfo is not None and 0 <= position.shown <= MAX_OFFSET
        except (ValueError, OverflowError):
            is_valid = False
        if not is_valid:
            msg = f"before is {text!r}, which is not the `next` of another page"
            raise SettingError(msg)
        return position

    def __str__(self) -> str:
        return f"{iso_utc(self.moment)}~{self.shown}"

    @property
    def until(self) -> datetime:
        """The exclusive end of the next page's period. Its newest `shown` entries are on earlier pages."""
        return self.moment + timedelta.resolution


async def read_page(
    source: LogDestination, filters: dict[str, Any], *, after: Position | None, size: int
) -> tuple[list[LogEntry], Position | None]:
    """Return a page of matching entries, newest first, and where it ended; None at the end."""
    entries = await read(source, **narrowed(filters, after), limit=size)
    return entries, end_of(entries, after) if len(entries) == size else None


async def read_all(
    source: LogDestination, filters: dict[str, Any], *, size: int = 1_000
) -> AsyncIterator[Sequence[LogEntry]]:
    """Yield all matching entries in pages, newest first; at least one page, which may be empty."""
    entries, position = await read_page(source, filters, after=None, size=size)
    yield entries
    while position is not None:
        entries, position = await read_page(source, filters, after=position, size=size)
        yield entries


def narrowed(filters: dict[str, Any], after: Position | None) -> dict[str, Any]:
    """Return the filters for the entries behind a position."""
    if after is None:
        return dict(filters)
    if (until := filters.get("until")) is not None and until < after.until:
        return dict(filters)
    return {**filters, "until": after.until, "offset": after.shown}


def end_of(entries: Sequence[LogEntry], after: Position | None) -> Position:
    """Return the position behind these entries, which are not empty."""
    moment = entries[-1].timestamp
    shown = sum(entry.timestamp == moment for entry in entries)
    return Position(moment, shown + (after.shown if after is not None and after.moment == moment else 0))
