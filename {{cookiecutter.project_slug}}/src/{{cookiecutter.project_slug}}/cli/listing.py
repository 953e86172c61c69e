"""`logs list`: recorded entries as rows, newest first."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..logging.entry import iso_utc
from ..logging.query import MAX_LIMIT
from .call_starts import without_ended
from .entry_text import details_of, name_of, status_of, style_of
from .logs_options import LIMIT
from .no_match import explain_nothing
from .output import Cell, Column, Style, Table, Terminal, json_line
from .reading import filters_of, read
from .times import Clock, duration

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from ..logging.destinations.base import LogDestination
    from ..logging.entry import LogEntry

PAGE = 1_000
"""Entries per further query, if those of the first were the starts of calls that ended."""
ID_LENGTH = 8
"""Characters shown of an id: its end, because ids of the same minute begin alike."""
SHORT = 11
"""The length of ids that are shown whole."""
PRECISE = 100
"""The columns of a terminal that shows milliseconds."""
WIDE, WIDEST = 120, 150
"""The columns of a terminal that shows the client, and that shows the principal and the correlation id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A column of the list: what it shows, on which terminals, and how wide it is before the entries are known."""

    column: Column
    value: Callable[[LogEntry], str]
    from_width: int = 0
    is_optional: bool = False
    width: int = 0


class Listing:
    """Entries as lines: short and aligned on a terminal, whole in a pipe.

    `known` are the entries to come, which decide about columns and widths; None if they are not known yet.
    """

    def __init__(self, terminal: Terminal, clock: Clock, *, known: Sequence[LogEntry] | None) -> None:
        self._terminal = terminal
        self._clock = clock
        self._fields = self._fields_for(known)
        widths = [field.width if known is None else 0 for field in self._fields]
        self._table = Table([field.column for field in self._fields], terminal, widths=widths)
        self._has_begun = False
        self._day = ""

    def lines(self, entries: Sequence[LogEntry]) -> Iterator[str]:
        """Yield the entries as lines, the first time below a header; a terminal gets a line for each new date."""
        rows = [self._row(entry) for entry in entries]
        self._table.fit(rows)
        if not self._has_begun:
            yield self._table.header()
        self._has_begun = True
        for entry, row in zip(entries, rows, strict=True):
            yield from self._new_day(entry)
            yield self._table.line(row)

    def _new_day(self, entry: LogEntry) -> Iterator[str]:
        day = self._clock.day(entry.timestamp)
        if day != self._day and self._terminal.width is not None:
            yield self._terminal.paint(day, Style.TITLE) + "\n"
        self._day = day

    def _fields_for(self, known: Sequence[LogEntry] | None) -> Sequence[Field]:
        """Return the columns to show: all in a pipe; on a terminal as many as fit, except those without any value."""
        width = self._terminal.width
        if width is None:
            return PIPE_FIELDS
        return [
            field
            for field in (self._time_field(is_precise=width >= PRECISE), *TERMINAL_FIELDS)
            if field.from_width <= width and (not field.is_optional or known is None or any(map(field.value, known)))
        ]

    def _time_field(self, *, is_precise: bool) -> Field:
        return Field(
            column=Column(title="time"),
            value=lambda entry: self._clock.time(entry.timestamp, is_precise=is_precise),
            width=len("12:00:00.000" if is_precise else "12:00:00"),
        )

    def _row(self, entry: LogEntry) -> list[Cell]:
        styles = {"status": style_of(entry), "id": Style.FAINT}
        return [Cell(field.value(entry), styles.get(field.column.title, Style.PLAIN)) for field in self._fields]


async def show_list(source: LogDestination, options: argparse.Namespace, *, terminal: Terminal, clock: Clock) -> None:
    """Print the newest or the slowest matching entries; say on stderr if there are none."""
    entries = await _entries(source, options)
    if options.json:
        sys.stdout.writelines(json_line(entry.to_dict()) for entry in entries)
    elif entries:
        sys.stdout.writelines(Listing(terminal, clock, known=entries).lines(entries))
    if not entries:
        await explain_nothing(source, options, what="entries", clock=clock)


def page_of(options: argparse.Namespace) -> dict[str, int]:
    """Return limit and offset, with their defaults."""
    limit = LIMIT if options.limit is None else options.limit
    return {"limit": options.slowest or limit, "offset": options.offset or 0}


async def _entries(source: LogDestination, options: argparse.Namespace) -> list[LogEntry]:
    """Return the entries to list."""
    filters: dict[str, Any] = filters_of(options)
    if options.slowest is not None:
        filters["slowest"] = True
    page = page_of(options)
    if page["offset"] and not await _has_starts(source, filters):
        return await read(source, **filters, **page)
    return await _entries_without_ended(source, filters, **page)


async def _has_starts(source: LogDestination, filters: dict[str, Any]) -> bool:
    """Return whether a matching entry may be the start of a call."""
    started = {"status": "started", **filters}
    return started["status"] == "started" and bool(await read(source, **started, limit=1))


async def _entries_without_ended(
    source: LogDestination, filters: dict[str, Any], *, limit: int, offset: int
) -> list[LogEntry]:
    """Return a page of entries in which starts of calls that ended do not count; read at most MAX_LIMIT in their place.

    Which entries count is known only after they are read, so those before the offset are read, too.
    """
    needed = offset + limit
    first, size = 0, min(needed, MAX_LIMIT)
    found: list[LogEntry] = []
    while len(found) < needed and first < needed + MAX_LIMIT:
        entries = await read(source, **filters, limit=size, offset=first)
        found += await without_ended(source, entries)
        if len(entries) < size:
            break
        first += size
        size = PAGE if needed <= MAX_LIMIT else MAX_LIMIT
    return found[offset:needed]


def short_id(text: str) -> str:
    """Return how an id ends, which is enough for `logs show`; an id that a client chose may be short itself."""
    return text if len(text) <= SHORT else text[-ID_LENGTH:]


TERMINAL_FIELDS = (
    Field(column=Column(title="id"), value=lambda entry: short_id(entry.entry_id), width=ID_LENGTH),
    Field(column=Column(title="status", floor=11), value=status_of, width=11),
    Field(column=Column(title="tool", floor=14), value=name_of, width=14),
    Field(column=Column(title="took", is_number=True), value=lambda entry: duration(entry.duration_ms), width=7),
    Field(
        column=Column(title="client", floor=8),
        value=lambda entry: entry.client_name or "",
        from_width=WIDE,
        is_optional=True,
        width=12,
    ),
    Field(
        column=Column(title="principal", floor=9),
        value=lambda entry: entry.principal or "",
        from_width=WIDEST,
        is_optional=True,
        width=9,
    ),
    Field(column=Column(title="correlation"), value=lambda entry: short_id(entry.correlation_id), from_width=WIDEST),
    Field(column=Column(title="details"), value=lambda entry: details_of(entry, is_whole=False)),
)
"""What a terminal shows behind the time; the last column takes the rest of the line."""
PIPE_FIELDS = (
    Field(column=Column(title="timestamp"), value=lambda entry: iso_utc(entry.timestamp), width=32),
    Field(column=Column(title="entry_id"), value=lambda entry: entry.entry_id, width=32),
    Field(column=Column(title="level"), value=lambda entry: entry.level, width=8),
    Field(column=Column(title="status"), value=lambda entry: entry.status or "", width=16),
    Field(column=Column(title="tool"), value=name_of, width=16),
    Field(
        column=Column(title="duration_ms", is_number=True),
        value=lambda entry: "" if entry.duration_ms is None else f"{entry.duration_ms:.3f}",
    ),
    Field(column=Column(title="client"), value=lambda entry: entry.client_name or "", width=12),
    Field(column=Column(title="principal"), value=lambda entry: entry.principal or ""),
    Field(column=Column(title="correlation_id"), value=lambda entry: entry.correlation_id, width=32),
    Field(column=Column(title="details"), value=lambda entry: details_of(entry, is_whole=True)),
)
"""What a pipe gets, always in this order."""
