"""New entries as server-sent events, for as long as the page is open."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ...logging.errors import LoggingError
from ...logging.json_safe import encode_json_bytes
from ...logging.query import LogQuery
from ..arrivals import POLL_INTERVAL, Arrivals
from .rows import row_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ...logging.destinations.base import LogDestination

HEARTBEAT = 15.0
"""Seconds after which something is sent, so that a connection without its other end is noticed."""


def events(source: LogDestination, filters: dict[str, Any], is_ending: Callable[[], bool]) -> AsyncIterator[bytes]:
    """Return `ready`, then `entries`; `problem` if the destination cannot be read, `recovered` if it can again.

    Raise SettingError if a filter is invalid.
    """
    LogQuery.of(**filters)
    return _events(source, filters, is_ending)


async def _events(
    source: LogDestination, filters: dict[str, Any], is_ending: Callable[[], bool]
) -> AsyncIterator[bytes]:
    arrivals: Arrivals | None = None
    problem = ""
    sent = time.monotonic()
    while not is_ending():
        new = list[bytes]()
        try:
            if arrivals is None:
                arrivals = await Arrivals.since_now(source, filters)
                new.append(_event("ready", {}))
            elif entries := await arrivals.next():
                new.append(_event("entries", [row_of(entry) for entry in entries]))
            if problem:
                new.append(_event("recovered", {}))
            problem = ""
        except LoggingError as error:
            if str(error) != problem:
                problem = str(error)
                new.append(_event("problem", {"error": problem}))
        if not new and time.monotonic() - sent > HEARTBEAT:
            new.append(b":\n\n")
        if new:
            sent = time.monotonic()
            yield b"".join(new)
        await asyncio.sleep(POLL_INTERVAL)


def _event(name: str, data: object) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), encode_json_bytes(data))
