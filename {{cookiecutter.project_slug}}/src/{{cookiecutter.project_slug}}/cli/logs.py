"""`logs`: what was recorded, as a table or JSON lines, followed, summarised or sent again."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import orjson

from ..choices import LOCAL, PRODUCTION
from ..logging.destinations.base import name_of
from ..logging.destinations.console import printable, printable_json
from ..logging.errors import DeliveryError, LoggingError, SettingError, text_of
from ..logging.factory import SETTING, create_destination, wanted_names
from ..logging.query import LEVELS, MAX_LIMIT
from .options import LIMIT, refuse_ignored

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Iterable, Sequence

    from ..config import ServerConfig
    from ..logging.destinations.base import LogDestination, LogEntry, Status

POLL = 0.5
"""Seconds between two looks while following."""
PAGE = 1_000
"""Entries a look takes at once while following; where none of them is new, it goes no further back."""
STATS_COLUMNS = ("tool", "calls", "errors", "p50_ms", "p95_ms")
ENTRY_COLUMNS = ("time", "level", "correlation_id", "tool", "status", "ms", "message")
FOLLOWED_WIDTHS = (23, 8, 32, 16, 16, 8, 0)
"""How wide they are where it is not known what comes."""
ARGUMENTS_WIDTH = 60
"""Characters that are shown of a call's arguments."""
GOOD_ENDS: set[Status] = {"success", "input_required"}
"""How a call ends that is no error."""
FILTERS = ("tool_name", "log_type", "status", "correlation_id", "since", "until", "text")


async def run_logs(options: argparse.Namespace, config: ServerConfig) -> int:
    """Run `logs` and return the exit code; raises SettingError for a wrong question, DeliveryError for no answer."""
    refuse_ignored(options)
    if options.action == "resend":
        from .resend import resend  # noqa: PLC0415 - only where it is asked for

        return await resend(options, config)
    async with open_readable(options.source, config) as source:
        if options.action == "stats":
            return await _show_stats(source, options)
        await (_follow if options.follow else _show)(source, options)
    return 0


@asynccontextmanager
async def open_readable(name: str | None, config: ServerConfig) -> AsyncIterator[LogDestination]:
    """Give the named destination, or the first that can be read of those in use and then of those there are."""
    in_use = filter(None, wanted_names(config))
    given_as, offered = ("--from", [*LOCAL, *PRODUCTION]) if name else (SETTING, [*PRODUCTION])
    problem = "this project keeps entries nowhere"
    async with AsyncExitStack() as stack:
        for candidate in [name] if name else dict.fromkeys([*in_use, *LOCAL, *PRODUCTION]):
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
    """Query a destination; raise DeliveryError of one sentence for whatever its driver raises."""
    try:
        return await source.query(**filters)
    except (LoggingError, NotImplementedError):
        raise
    except Exception as error:
        msg = f"{name_of(source)} cannot be read: {text_of(error)}"
        raise DeliveryError(msg) from error


def filters_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return the query's filters as the options name them."""
    filters = {name: getattr(options, name) for name in FILTERS}
    if options.level is not None:
        filters["level"] = LEVELS[LEVELS.index(options.level) :]
    return filters


def page_of(options: argparse.Namespace) -> dict[str, int]:
    """Return the query's limit and offset, also where no option names them."""
    given = {name: value for name in ("limit", "offset") if (value := getattr(options, name)) is not None}
    return {"limit": LIMIT, "offset": 0, **given}


async def every_page(source: LogDestination, *, size: int = MAX_LIMIT, **filters: Any) -> AsyncIterator[list[LogEntry]]:
    """Yield all matching entries in pages, newest first."""
    for offset in range(0, sys.maxsize, size):
        page = await read(source, **filters, limit=size, offset=offset)
        if page:
            yield page
        if len(page) < size:
            return


async def _show(source: LogDestination, options: argparse.Namespace) -> None:
    entries = await read(source, **filters_of(options), **page_of(options))
    _print(entries, None if options.json else Table(ENTRY_COLUMNS))


async def _follow(source: LogDestination, options: argparse.Namespace) -> None:
    """Show the newest entries and then, until it is stopped, each that arrives, late ones too."""
    filters = filters_of(options)
    known = await _known(source, filters)
    shown = await read(source, **filters, **page_of(options))
    table = None if options.json else Table(ENTRY_COLUMNS, FOLLOWED_WIDTHS)
    _print(shown[::-1], table)
    seen = {entry.entry_id: entry.timestamp for entry in (*shown, *known)}
    if known and len(known) % PAGE == 0:
        filters["since"] = known[-1].timestamp + timedelta.resolution
    while True:
        await asyncio.sleep(POLL)
        _print(await _arrived(source, filters, seen), table)
        if len(seen) > 2 * MAX_LIMIT:
            oldest = filters["since"] = min(sorted(seen.values())[-MAX_LIMIT], datetime.now(UTC))
            seen = {entry_id: moment for entry_id, moment in seen.items() if moment >= oldest}


async def _known(source: LogDestination, filters: dict[str, Any]) -> list[LogEntry]:
    """Return the newest entries, a page of them, or as many as reach from a clock ahead of ours into our past."""
    known: list[LogEntry] = []
    now = datetime.now(UTC)
    async for page in every_page(source, size=PAGE, **filters):
        known += page
        if page[-1].timestamp < now:
            break
    return known


async def _arrived(source: LogDestination, filters: dict[str, Any], seen: dict[str, datetime]) -> list[LogEntry]:
    """Return the entries that no look before this one has seen, oldest first, and add them to what was seen."""
    arrived = await _unseen(source, filters, seen)
    now = datetime.now(UTC)
    if max(seen.values(), default=now) > now:  # pages of what lies ahead would hide what comes now
        arrived |= await _unseen(source, {**filters, "until": min(filters["until"] or now, now)}, seen)
    seen.update((entry_id, entry.timestamp) for entry_id, entry in arrived.items())
    return sorted(arrived.values(), key=lambda entry: entry.timestamp)


async def _unseen(source: LogDestination, filters: dict[str, Any], seen: dict[str, datetime]) -> dict[str, LogEntry]:
    unseen: dict[str, LogEntry] = {}  # in which pages overlap where entries arrive meanwhile
    async for page in every_page(source, size=PAGE, **filters):
        fresh = {entry.entry_id: entry for entry in page if entry.entry_id not in seen}
        if not fresh:
            break
        unseen.update(fresh)
    return unseen


def _print(entries: list[LogEntry], table: Table | None) -> None:
    """Print entries as lines of a table, or of JSON where there is none."""
    if table is None:
        sys.stdout.writelines(map(_json_line, (entry.to_dict() for entry in entries)))
    else:
        sys.stdout.writelines(table.lines(map(_row, entries)))
    sys.stdout.flush()


async def _show_stats(source: LogDestination, options: argparse.Namespace) -> int:
    durations: dict[str, list[float]] = defaultdict(list)
    errors: dict[str, int] = defaultdict(int)
    async for page in every_page(source, **{**filters_of(options), "log_type": "tool_execution"}):
        for entry in page:
            tool = entry.tool_name or ""
            durations[tool].append(entry.duration_ms or 0.0)
            errors[tool] += entry.status not in GOOD_ENDS
    rows = [_stats_of(tool, durations[tool], errors[tool]) for tool in sorted(durations)]
    if options.json:
        sys.stdout.writelines(map(_json_line, rows))
    else:
        shown = [{name: _shown(value) for name, value in row.items()} for row in rows]
        sys.stdout.writelines(Table(STATS_COLUMNS).lines(shown))
    return 0


def _stats_of(tool: str, durations: list[float], errors: int) -> dict[str, Any]:
    cuts = quantiles(durations, n=20, method="inclusive") if len(durations) > 1 else durations * 19
    return {"tool": tool, "calls": len(durations), "errors": errors, "p50_ms": cuts[9], "p95_ms": cuts[18]}


def _shown(value: object) -> str:
    return f"{value:.1f}" if isinstance(value, float) else str(value)


class Table:
    """Aligned columns under a head; rows that come later line up with those before, unless they are wider."""

    def __init__(self, columns: Sequence[str], widths: Sequence[int] = ()) -> None:
        self._columns = columns
        self._widths = list(widths) or [0] * len(columns)
        self._head = [list(columns)]

    def lines(self, rows: Iterable[dict[str, str]]) -> list[str]:
        """Return rows as lines, below the head at first; where a terminal is narrower, an ellipsis ends a line."""
        cells = self._head + [[printable(row[name]) for name in self._columns] for row in rows]
        self._head = []
        self._widths = [max(map(len, column)) for column in zip(*cells, map(" ".__mul__, self._widths), strict=True)]
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
        return [_cut("  ".join(map(str.ljust, line, self._widths)).rstrip(), width) + "\n" for line in cells]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _json_line(values: dict[str, Any]) -> str:
    """Return an object as JSON that stdout can take: the escapes it would put itself are none of JSON's."""
    text = printable_json(orjson.dumps(values).decode())
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(values, separators=(",", ":"))
    return f"{text}\n"


def _message(entry: LogEntry) -> str:
    """Return what happened: with what a tool was called, how that ended, and why."""
    message, called = entry.message, f"{entry.tool_name}: "
    if entry.input_args and message.startswith(called):
        arguments = json.dumps(entry.input_args, ensure_ascii=False)
        message = f"{entry.tool_name} {_cut(arguments, ARGUMENTS_WIDTH)}: {message.removeprefix(called)}"
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
