"""Read recorded entries: which destination to read, with which filters, page by page."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from ..logging.destinations import LOCAL, PRODUCTION
from ..logging.errors import DeliveryError, LoggingError, SettingError, describe_error
from ..logging.factory import SETTING, create_destination, enabled_names
from ..logging.query import LEVELS, MAX_LIMIT
from .logs_options import FILTER_FLAGS

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Iterator

    from ..config import ServerConfig
    from ..logging.destinations.base import LogDestination
    from ..logging.entry import LogEntry
    from ..logging.stats import CallStats, Group


@asynccontextmanager
async def open_readable(name: str | None, config: ServerConfig) -> AsyncIterator[LogDestination]:
    """Open the named destination, or the first readable one, preferring those that are enabled.

    Raise SettingError if there is none, DeliveryError if it cannot be read.
    """
    enabled = filter(None, enabled_names(config))
    given_as, offered = ("--from", [*LOCAL, *PRODUCTION]) if name else (SETTING, [*PRODUCTION])
    problem = "this project stores entries nowhere"
    async with AsyncExitStack() as stack:
        for candidate in [name] if name else dict.fromkeys([*enabled, *LOCAL, *PRODUCTION]):
            destination = create_destination(candidate, config, given_as=given_as, offered=offered)
            stack.push_async_callback(destination.close)
            try:
                await read(destination, limit=1)
            except NotImplementedError as error:
                problem = str(error)
            else:
                yield destination
                return
    msg = f"There is nothing to read: {problem}."
    raise SettingError(msg)


async def read(source: LogDestination, **filters: Any) -> list[LogEntry]:
    """Query a destination; raise DeliveryError with one sentence for any exception of its driver."""
    with one_sentence(source):
        return await source.query(**filters)


async def summarise(source: LogDestination, *, by: Group, **filters: Any) -> CallStats:
    """Return statistics of calls; raise DeliveryError as `read` does."""
    with one_sentence(source):
        return await source.stats(by=by, **filters)


@contextmanager
def one_sentence(source: LogDestination) -> Iterator[None]:
    """Raise DeliveryError with one sentence for any exception of a driver."""
    try:
        yield
    except (LoggingError, NotImplementedError):
        raise
    except Exception as error:
        msg = f"{source.name} cannot be read: {describe_error(error)}"
        raise DeliveryError(msg) from error


async def read_pages(source: LogDestination, *, size: int = MAX_LIMIT, **filters: Any) -> AsyncIterator[list[LogEntry]]:
    """Yield all matching entries in pages, newest first."""
    for offset in range(0, sys.maxsize, size):
        page = await read(source, **filters, limit=size, offset=offset)
        if page:
            yield page
        if len(page) < size:
            return


def filters_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the filters that the options set; a destination needs to know only those."""
    filters = {name: value for name in FILTER_FLAGS if (value := getattr(options, name)) is not None}
    if "level" in filters:
        filters["level"] = LEVELS[LEVELS.index(options.level) :]
    return filters
