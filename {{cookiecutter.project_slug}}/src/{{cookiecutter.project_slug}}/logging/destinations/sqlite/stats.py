"""The statements for statistics of the SQLite table, and their results."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from math import ceil
from typing import NamedTuple

import orjson

from ...entry import SUCCESSES
from ...query import LogQuery
from ...stats import GROUP_FIELDS, PERCENTILES, PERIOD_LENGTHS, Group, GroupStats, by_calls
from .search import Statement, condition, source

_SUCCESSES = ", ".join(f"'{status}'" for status in SUCCESSES)
_FAILED = f"ifnull(status, '') NOT IN ({_SUCCESSES})"


class Total(NamedTuple):
    """A row of `totals`: a group, and what one pass over its calls yields."""

    group: str | None
    calls: int
    failures: int
    durations: int
    max_ms: float | None
    output_size: float | None


def totals(query: LogQuery, columns: Collection[str], *, by: Group) -> Statement:
    """Return the statement that computes the totals, sorted by group."""
    where, values = condition(query)
    results = f"count(*), sum({_FAILED}), count(duration_ms), max(duration_ms), avg(output_size)"
    return f"SELECT {_name(by)}, {results} FROM {source(columns)} WHERE {where} GROUP BY 1 ORDER BY 1", values  # noqa: S608


def ranks_of(rows: Iterable[Total]) -> list[dict[str, int]]:
    """Return the rank of each percentile of each group, counted from 1 across all groups in their order."""
    ranks, before = list[dict[str, int]](), 0
    for total in rows:
        nearest = {f"p{percent}_ms": before + ceil(percent * total.durations / 100) for percent in PERCENTILES}
        ranks.append(nearest if total.durations else {})
        before += total.durations
    return ranks


def durations_at(
    ranks: Iterable[Mapping[str, int]], query: LogQuery, columns: Collection[str], *, by: Group
) -> Statement:
    """Return the statement that finds the durations at these ranks: it sorts once, and counts no group again."""
    where, values = condition(query)
    wanted = orjson.dumps([rank for group in ranks for rank in group.values()]).decode()
    ranked = f"row_number() OVER (ORDER BY {_name(by)}, duration_ms) AS rank"
    rows = f"SELECT duration_ms, {ranked} FROM {source(columns)} WHERE {where} AND duration_ms IS NOT NULL"  # noqa: S608
    return f"SELECT rank, duration_ms FROM ({rows}) WHERE rank IN (SELECT value FROM json_each(?))", [*values, wanted]  # noqa: S608


def groups_of(
    rows: Iterable[Total], ranks: Iterable[Mapping[str, int]], durations: Mapping[int, float]
) -> list[GroupStats]:
    """Return the statistics of each group, in their fixed order."""
    return by_calls(
        GroupStats(
            group=total.group,
            calls=total.calls,
            failures=total.failures,
            max_ms=total.max_ms,
            output_size=total.output_size,
            **{name: durations[rank] for name, rank in nearest.items()},
        )
        for total, nearest in zip(rows, ranks, strict=True)
    )


def _name(by: Group) -> str:
    """Return the expression for the name of a call's group."""
    return f"substr(timestamp, 1, {PERIOD_LENGTHS[by]})" if by in PERIOD_LENGTHS else GROUP_FIELDS[by]
