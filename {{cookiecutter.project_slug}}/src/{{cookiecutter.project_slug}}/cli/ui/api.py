"""The JSON API of the page. It reads through the destination only; docs/ui.md describes it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.routing import Route

from ...choices import COMMAND, TITLE
from ...logging.errors import SettingError
from ...logging.histogram import MAX_BUCKETS, Period
from ...logging.stats import GROUPS
from ..call_starts import without_ended
from ..find_request import find_request
from ..numbers import whole_number
from ..reading import one_sentence, summarise
from ..times import Clock
from . import export, rows
from .answers import as_json, stream_response, with_error_responses
from .filter_line import filters_of_line
from .paging import Position, read_all, read_page
from .searching import search
from .stream import events

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from ...logging.destinations.base import LogDestination
    from ...logging.entry import LogEntry
    from .stores import Stores

_Word = TypeVar("_Word", bound=str)

PAGE_SIZE = 50
MAX_PAGE_SIZE = 500
MAX_SECONDS = 60
BUCKETS = 60
FORMATS = tuple(export.MEDIA_TYPES)
DEFAULT_PERIOD = timedelta(hours=24)
"""What a histogram shows if nothing says when it begins."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Api:
    """The handlers for one destination; `is_ending` tells streams to end."""

    source: LogDestination
    stores: Stores
    trace_url: str | None
    is_ending: Callable[[], bool]

    def routes(self) -> list[Route]:
        """Return the routes of the API."""
        handlers = {
            "/api/about": self.about,
            "/api/entries": self.entries,
            "/api/entries/{word:path}": self.entry,
            "/api/stats": self.stats,
            "/api/histogram": self.histogram,
            "/api/destinations": self.destinations,
            "/api/destinations/{name:path}": self.destination,
        }
        streams = {"/api/stream": self.stream, "/api/export": self.export}
        return [
            *(Route(path, as_json(handler), methods=["GET"]) for path, handler in handlers.items()),
            *(Route(path, with_error_responses(handler), methods=["GET"]) for path, handler in streams.items()),
        ]

    async def about(self, request: Request) -> dict[str, Any]:  # noqa: ARG002 - the signature of a handler
        """Return the name of the project, its command, the destination that is read, and where traces are seen."""
        return {"title": TITLE, "command": COMMAND, "source": self.source.name, "trace_url": self.trace_url}

    async def entries(self, request: Request) -> dict[str, Any]:
        """Return a page of entries, newest first, and where the next one begins.

        With `seconds`, return what is found in this time, even if it is less than a page, and how much was searched.
        """
        before = request.query_params.get("before")
        after = Position.parse(before) if before else None
        filters, size = _filters_of(request), _whole(request, "limit", default=PAGE_SIZE, most=MAX_PAGE_SIZE)
        if "seconds" in request.query_params:
            seconds = _whole(request, "seconds", default=1, most=MAX_SECONDS)
            found = await search(self.source, filters, after=after, size=size, seconds=seconds)
            return {**await self._page_of(found.entries, found.next), "searched": found.share}
        return await self._page_of(*await read_page(self.source, filters, after=after, size=size))

    async def entry(self, request: Request) -> dict[str, Any]:
        """Return everything about the request with this id."""
        word = request.path_params["word"]
        return rows.request_of(await find_request(self.source, word, filters={}, clock=Clock()))

    async def stats(self, request: Request) -> dict[str, Any]:
        """Return the statistics of calls by group."""
        by = self._choice(request, "by", GROUPS)
        return rows.stats_of(await summarise(self.source, by=by, **_filters_of(request)))

    async def histogram(self, request: Request) -> dict[str, Any]:
        """Return the calls of a period over time."""
        filters = _filters_of(request)
        buckets = _whole(request, "buckets", default=BUCKETS, most=MAX_BUCKETS)
        with one_sentence(self.source):
            period = await self._period(filters.pop("since", None), filters.pop("until", None), buckets)
            found = await self.source.histogram(period, **filters)
        return rows.histogram_of(found)

    async def destinations(self, request: Request) -> dict[str, Any]:  # noqa: ARG002 - the signature of a handler
        """Return the names of the destinations of this project, and whether each is enabled."""
        return {"destinations": self.stores.names()}

    async def destination(self, request: Request) -> dict[str, Any]:
        """Return what a destination holds, or what is wrong with it."""
        return await self.stores.describe(request.path_params["name"])

    async def stream(self, request: Request) -> Response:
        """Send new entries as server-sent events until the page is closed."""
        return stream_response(request, events(self.source, _filters_of(request), self.is_ending), "text/event-stream")

    async def export(self, request: Request) -> Response:
        """Send all matching entries as a file."""
        form = self._choice(request, "format", FORMATS)
        pages = read_all(self.source, _filters_of(request))
        first = await anext(pages)  # before the answer begins, so that it can still be an error
        headers = {"Content-Disposition": f'attachment; filename="calls.{form}"'}
        return stream_response(request, export.lines(first, pages, form=form), export.MEDIA_TYPES[form], headers)

    async def _page_of(self, entries: list[LogEntry], end: Position | None) -> dict[str, Any]:
        """Return a page of the list without the starts of calls that ended, and where the next page begins."""
        shown = await without_ended(self.source, entries)
        return {"source": self.source.name, "entries": list(map(rows.row_of, shown)), "next": str(end) if end else None}

    async def _period(self, since: datetime | None, until: datetime | None, buckets: int) -> Period:
        """Return the period to count; a start that is not given is the oldest entry, or a day ago if that is unknown.

        If neither end is given, buckets begin at round times, and there may be fewer.
        """
        end = until or datetime.now(UTC) + timedelta(seconds=1)
        if since is None and (oldest := await self.source.oldest()) is not None and oldest < end:
            if until is None:
                with suppress(OverflowError):  # the oldest entry is of the first days of the calendar
                    return Period.around(oldest, end, most=buckets)
            since = oldest
        return Period(since=since or end - DEFAULT_PERIOD, until=end, buckets=buckets)

    @staticmethod
    def _choice(request: Request, name: str, words: Sequence[_Word]) -> _Word:
        """Return the word that a parameter names; the first one is the default."""
        text = request.query_params.get(name, words[0])
        for word in words:
            if word == text:
                return word
        msg = f"{name} must be one of {', '.join(words)}, not {text!r}"
        raise SettingError(msg)


def _filters_of(request: Request) -> dict[str, Any]:
    return filters_of_line(request.query_params.get("q", ""))


def _whole(request: Request, name: str, *, default: int, most: int) -> int:
    try:
        return whole_number(request.query_params.get(name, str(default)), 1, most)
    except ValueError as error:
        msg = f"{name} {error}"
        raise SettingError(msg) from error
