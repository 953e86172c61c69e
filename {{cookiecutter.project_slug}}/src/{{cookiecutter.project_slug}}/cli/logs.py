"""The verb `logs`: list, follow, summarise or resend recorded entries."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import TYPE_CHECKING, Any

from ..logging.query import MAX_LIMIT
from .options import LIMIT, refuse_ignored
from .output import Table, json_line, truncate
from .reading import filters_of, open_readable, read, read_pages

if TYPE_CHECKING:
    import argparse

    from ..config import ServerConfig
    from ..logging.destinations.base import LogDestination
    from ..logging.entry import LogEntry, Status

POLL_INTERVAL = 0.5
"""Seconds between two queries of `--follow`."""
PAGE = 1_000
"""Entries per query of `--follow`; it stops at a page without new entries."""
STATS_COLUMNS = ("tool", "calls", "errors", "p50_ms", "p95_ms")
ENTRY_COLUMNS = ("time", "level", "correlation_id", "tool", "status", "ms", "message")
FOLLOWED_WIDTHS = (23, 8, 32, 16, 16, 8, 0)
"""Column widths of `--follow`, which cannot know the entries to come."""
ARGUMENTS_WIDTH = 60
"""Characters shown of a call's arguments."""
SUCCESSES: set[Status] = {"success", "input_required"}
"""The outcomes that are not errors."""


async def run_logs(options: argparse.Namespace, config: ServerConfig) -> int:
    """Run `logs`; return the exit code. Raise SettingError for invalid options, DeliveryError for a failed query."""
    refuse_ignored(options)
    if options.action == "resend":
        from .resend import resend  # noqa: PLC0415 - only this action needs it

        return await resend(options, config)
    async with open_readable(options.source, config) as source:
        if options.action == "stats":
            return await _show_stats(source, options)
        await (_follow if options.follow else _show)(source, options)
    return 0


def page_of(options: argparse.Namespace) -> dict[str, int]:
    """Return limit and offset, with their defaults."""
    given = {name: value for name in ("limit", "offset") if (value := getattr(options, name)) is not None}
    return {"limit": LIMIT, "offset": 0, **given}


async def _show(source: LogDestination, options: argparse.Namespace) -> None:
    entries = await read(source, **filters_of(options), **page_of(options))
    _print(entries, None if options.json else Table(ENTRY_COLUMNS))


async def _follow(source: LogDestination, options: argparse.Namespace) -> None:
    """Show the newest entries, then each new one, including late arrivals, until interrupted."""
    filters = filters_of(options)
    known = await _known(source, filters)
    shown = await read(source, **filters, **page_of(options))
    table = None if options.json else Table(ENTRY_COLUMNS, FOLLOWED_WIDTHS)
    _print(shown[::-1], table)
    seen = {entry.entry_id: entry.timestamp for entry in (*shown, *known)}
    if known and len(known) % PAGE == 0:
        filters["since"] = known[-1].timestamp + timedelta.resolution
    while True:
        await asyncio.sleep(POLL_INTERVAL)
        _print(await _arrived(source, filters, seen), table)
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
        arrived |= await _unseen(source, {**filters, "until": min(filters["until"] or now, now)}, seen)
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


def _print(entries: list[LogEntry], table: Table | None) -> None:
    """Print entries as rows of the table, or as JSON without one."""
    if table is None:
        sys.stdout.writelines(map(json_line, (entry.to_dict() for entry in entries)))
    else:
        sys.stdout.writelines(table.lines(map(_row, entries)))
    sys.stdout.flush()


async def _show_stats(source: LogDestination, options: argparse.Namespace) -> int:
    durations: dict[str, list[float]] = defaultdict(list)
    errors: dict[str, int] = defaultdict(int)
    async for page in read_pages(source, **{**filters_of(options), "log_type": "tool_execution"}):
        for entry in page:
            tool = entry.tool_name or ""
            durations[tool].append(entry.duration_ms or 0.0)
            errors[tool] += entry.status not in SUCCESSES
    rows = [_stats_of(tool, durations[tool], errors[tool]) for tool in sorted(durations)]
    if options.json:
        sys.stdout.writelines(map(json_line, rows))
    else:
        shown = [{name: _shown(value) for name, value in row.items()} for row in rows]
        sys.stdout.writelines(Table(STATS_COLUMNS).lines(shown))
    return 0


def _stats_of(tool: str, durations: list[float], errors: int) -> dict[str, Any]:
    cuts = quantiles(durations, n=20, method="inclusive") if len(durations) > 1 else durations * 19
    return {"tool": tool, "calls": len(durations), "errors": errors, "p50_ms": cuts[9], "p95_ms": cuts[18]}


def _shown(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


def _message(entry: LogEntry) -> str:
    """Return the message with the arguments of the call and the reason of a failure."""
    message, called = entry.message, f"{entry.tool_name}: "
    if entry.input_args and message.startswith(called):
        arguments = json.dumps(entry.input_args, ensure_ascii=False)
        message = f"{entry.tool_name} {truncate(arguments, ARGUMENTS_WIDTH)}: {message.removeprefix(called)}"
    return message if entry.error_message is None else f"{message} ({entry.error_message})"


def _row(entry: LogEntry) -> dict[str, str]:
    return {
        "time": entry.timestamp.isoformat(sep=" ", timespec="milliseconds")[:23],
        "level": entry.level,
        "correlation_id": entry.correlation_id[:32],
        "tool": entry.tool_name or "",
        "status": entry.status or "",
        "ms": "" if entry.duration_ms is None else f"{entry.duration_ms:.1f}",
        "message": _message(entry),
    }
