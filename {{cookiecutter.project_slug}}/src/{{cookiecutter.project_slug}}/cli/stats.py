"""`logs stats`: calls, failures, durations and output sizes by group."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..logging.query import MAX_LIMIT
from ..logging.stats import PERIOD_LENGTHS
from .no_match import explain_nothing
from .output import Cell, Column, Style, Table, json_line
from .reading import filters_of, summarise
from .times import duration, size

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ..logging.destinations.base import LogDestination
    from ..logging.stats import Group, GroupStats
    from .output import Terminal
    from .times import Clock

NAMELESS = "(none)"
"""The group of calls without a client, a principal or an error."""
HUMAN_TITLES = ("calls", "failed", "rate", "p50", "p95", "p99", "max", "output")
PIPE_TITLES = (
    "calls", "failures", "failure_rate", "p50_ms", "p95_ms", "p99_ms", "max_ms",
    "output_bytes", "output_p95_bytes", "output_total_bytes",
)  # fmt: skip


async def show_stats(source: LogDestination, options: argparse.Namespace, *, terminal: Terminal, clock: Clock) -> None:
    """Print a row per group of calls; say on stderr if there are none, or if not all calls were counted."""
    by: Group = options.by or "tool"
    stats = await summarise(source, by=by, **filters_of(options))
    groups = sorted(stats.groups, key=lambda group: group.group or "") if by in PERIOD_LENGTHS else stats.groups
    if options.json:
        sys.stdout.writelines(json_line(_json_of(group, by)) for group in groups)
    else:
        sys.stdout.writelines(lines_of(groups, by=by, terminal=terminal))
    if not stats.is_complete:
        print(f"These are the statistics of the newest {MAX_LIMIT:,} calls.", file=sys.stderr)
    if not groups:
        await explain_nothing(source, options, what="calls", clock=clock)


def _json_of(stats: GroupStats, by: Group) -> dict[str, Any]:
    values = asdict(stats)
    name, calls, failures = values.pop("group"), values.pop("calls"), values.pop("failures")
    counts = {"calls": calls, "failures": failures, "failure_rate": stats.failure_rate}
    return {by.replace("-", "_"): name, **counts, **values}


def lines_of(groups: Sequence[GroupStats], *, by: Group, terminal: Terminal) -> list[str]:
    """Return a line per group below a header; for a terminal with units, for a pipe with exact numbers."""
    if not groups:
        return []
    titles = PIPE_TITLES if terminal.width is None else HUMAN_TITLES
    name = f"{by} (UTC)" if by in PERIOD_LENGTHS and terminal.width is not None else by.replace("-", "_")
    columns = [Column(title=name, floor=12), *(Column(title=title, is_number=True) for title in titles)]
    table = Table(columns, terminal)
    rows = [_exact_row(stats) if terminal.width is None else _human_row(stats) for stats in groups]
    table.fit(rows)
    return [table.header(), *map(table.line, rows)]


def _human_row(stats: GroupStats) -> list[Cell]:
    durations = map(duration, (stats.p50_ms, stats.p95_ms, stats.p99_ms, stats.max_ms))
    return [
        Cell(stats.group or NAMELESS),
        Cell(str(stats.calls)),
        Cell(str(stats.failures), Style.BAD if stats.failures else Style.PLAIN),
        Cell(f"{100 * stats.failure_rate:.1f}%"),
        *map(Cell, durations),
        Cell(size(stats.output_size)),
    ]


def _exact_row(stats: GroupStats) -> list[Cell]:
    durations = (stats.p50_ms, stats.p95_ms, stats.p99_ms, stats.max_ms)
    numbers = (stats.failure_rate, *durations, stats.output_size, stats.output_p95, stats.output_total)
    return [
        Cell(stats.group or NAMELESS),
        Cell(str(stats.calls)),
        Cell(str(stats.failures)),
        *(Cell("" if number is None else f"{number:.3f}") for number in numbers),
    ]
