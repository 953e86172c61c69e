"""Statistics of tool calls by group: what destinations return, and how to compute them without a database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal, get_args

from .entry import SUCCESSES, LogEntry, iso_utc

Group = Literal["tool", "client", "principal", "day", "hour", "error-type"]
GROUPS: tuple[Group, ...] = get_args(Group)
GROUP_FIELDS: dict[Group, str] = {
    "tool": "tool_name",
    "client": "client_name",
    "principal": "principal",
    "error-type": "error_type",
}
"""The field of each group that is not a period of time."""
PERIOD_LENGTHS: dict[Group, int] = {"day": len("2026-01-31"), "hour": len("2026-01-31T12")}
"""Characters of an ISO 8601 time in UTC that name each period."""
PERCENTILES = (50, 95, 99)
"""The percentiles of durations."""
OUTPUT_PERCENTILE = 95
"""The percentile of output sizes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupStats:
    """The calls of one group. Durations are milliseconds, sizes are bytes; None means unknown.

    A percentile is the smallest value that at least that share of the calls does not exceed (nearest rank).
    `output_size` is the mean size of a result, `output_total` the sum of all.
    """

    group: str | None
    calls: int
    failures: int
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None
    output_size: float | None = None
    output_p95: float | None = None
    output_total: int | None = None

    @property
    def failure_rate(self) -> float:
        """The share of the calls that failed, 0 to 1."""
        return self.failures / self.calls


@dataclass(frozen=True, kw_only=True, slots=True)
class CallStats:
    """The groups, those with the most calls first; `is_complete` is False if only the newest calls were counted."""

    groups: list[GroupStats]
    is_complete: bool = True


def stats_of(entries: Iterable[LogEntry], *, by: Group) -> list[GroupStats]:
    """Return the statistics of tool calls; other entries are ignored."""
    groups: dict[str | None, list[LogEntry]] = defaultdict(list)
    for entry in entries:
        if entry.log_type == "tool_execution":
            groups[_group_of(entry, by)].append(entry)
    return by_calls(
        group_stats(
            group,
            calls=len(calls),
            failures=sum(call.status not in SUCCESSES for call in calls),
            durations=[call.duration_ms for call in calls if call.duration_ms is not None],
            sizes=[call.output_size for call in calls if call.output_size is not None],
        )
        for group, calls in groups.items()
    )


def group_stats(
    group: str | None, *, calls: int, failures: int, durations: Sequence[float], sizes: Sequence[int]
) -> GroupStats:
    """Return the statistics of a group from the known durations and output sizes of its calls, in any order."""
    durations, sizes = sorted(durations), sorted(sizes)
    return GroupStats(
        group=group,
        calls=calls,
        failures=failures,
        max_ms=durations[-1] if durations else None,
        output_size=sum(sizes) / len(sizes) if sizes else None,
        output_p95=sizes[_rank(OUTPUT_PERCENTILE, len(sizes))] if sizes else None,
        output_total=sum(sizes) if sizes else None,
        **{f"p{percent}_ms": durations[_rank(percent, len(durations))] for percent in PERCENTILES if durations},
    )


def by_calls(groups: Iterable[GroupStats]) -> list[GroupStats]:
    """Return groups in their fixed order: most calls first, then by name."""
    return sorted(groups, key=lambda stats: (-stats.calls, stats.group or ""))


def _group_of(entry: LogEntry, by: Group) -> str | None:
    if by in PERIOD_LENGTHS:
        return iso_utc(entry.timestamp)[: PERIOD_LENGTHS[by]]
    group: str | None = getattr(entry, GROUP_FIELDS[by])
    return group


def _rank(percent: int, count: int) -> int:
    return ceil(percent * count / 100) - 1
