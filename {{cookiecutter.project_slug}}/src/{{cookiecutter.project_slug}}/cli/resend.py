"""`logs resend`: what a production destination missed, sent again from this machine's entries, idempotently."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..choices import LOCAL, PRODUCTION
from ..logging.errors import SettingError
from ..logging.factory import create_lane, production_names
from .logs import every_page, filters_of, readable

if TYPE_CHECKING:
    import argparse

    from ..config import ServerConfig
    from ..logging.destinations.base import LogEntry
    from ..logging.destinations.buffered import BufferedDestination

PAGE = 1_000
"""Entries handed to the buffer at once; fewer than it holds, so that it drops none."""
BAR = 30


async def resend(options: argparse.Namespace, config: ServerConfig) -> int:
    """Send entries again and return 0 when all of them arrived; raises SettingError without a source or a target."""
    if not LOCAL:
        msg = "There is nothing to resend: this project keeps no entries on this machine."
        raise SettingError(msg)
    lane = create_lane(_target(options, config), config)
    filters = {**filters_of(options), "until": options.until or datetime.now(UTC)}
    async with readable(options.source or next(iter(LOCAL)), config) as source:
        entries = [entry async for page in every_page(source, **filters) for entry in page][::-1]
    await lane.open()
    try:
        return await _send(entries, lane)
    finally:
        await lane.close()


def _target(options: argparse.Namespace, config: ServerConfig) -> str:
    configured = production_names(config.model_copy(update={"enable_production_logging": True}))
    name: str = options.target or (configured[0] if len(configured) == 1 else "")
    if not name:
        msg = f"Name the destination to resend to: --to {'|'.join(PRODUCTION) or 'package.module:Class'}"
        raise SettingError(msg)
    return name


async def _send(entries: list[LogEntry], lane: BufferedDestination) -> int:
    size = min(PAGE, lane.capacity)
    for start in range(0, len(entries), size):
        for entry in entries[start : start + size]:
            lane.put(entry)
        await lane.flush()
        counters = lane.counters
        _progress(counters.written, len(entries))
        if counters.queued:
            break
    counters = lane.counters
    print(f"\n{counters.written} of {len(entries)} entries sent to {lane.name}", file=sys.stderr)
    if counters.last_error:
        print(f"{lane.name}: {counters.last_error}", file=sys.stderr)
    return 0 if counters.written == len(entries) else 1


def _progress(done: int, total: int) -> None:
    filled = BAR * done // max(total, 1)
    sys.stderr.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done}/{total}")
    sys.stderr.flush()
