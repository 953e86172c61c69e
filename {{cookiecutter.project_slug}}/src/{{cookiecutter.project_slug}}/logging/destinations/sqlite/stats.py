"""The statements for statistics of the SQLite table, and their results."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import orjson

from ...entry import SUCCESSES
from ...histogram import Period
from ...query import LogQuery
from ...stats import GROUP_FIELDS, PERIOD_LENGTHS, Group, GroupStats, group_stats
from .search import Statement, condition, source

_MICROSECONDS = "CAST(strftime('%s', timestamp) AS INTEGER) * 1000000 + CAST(substr(timestamp, 21, 6) AS INTEGER)"
"""The time of a row since 1970: julianday() has no microseconds."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUCCESSES = ", ".join(f"'{status}'" for status in SUCCESSES)
_FAILED = f"ifnull(status, '') NOT IN ({_SUCCESSES})"


def groups(query: LogQuery, columns: Collection[str], *, by: Group) -> Statement:
    """Return the statement that finds each group: its name, calls, failures, and all durations and sizes as JSON.

    Percentiles are computed from these: SQLite has none, and to rank its rows takes four times as long.
    """
    where, values = condition(query)
    name = f"substr(timestamp, 1, {PERIOD_LENGTHS[by]})" if by in PERIOD_LENGTHS else GROUP_FIELDS[by]
    results = f"count(*), sum({_FAILED}), {_known('duration_ms')}, {_known('output_size')}"
    return f"SELECT {name}, {results} FROM {source(columns)} WHERE {where} GROUP BY 1", values  # noqa: S608


def group_of(row: tuple[str | None, int, int, str, str]) -> GroupStats:
    """Return the statistics in a row of `groups`."""
    name, calls, failures, durations, sizes = row
    return group_stats(
        name, calls=calls, failures=failures, durations=orjson.loads(durations), sizes=orjson.loads(sizes)
    )


def buckets(query: LogQuery, columns: Collection[str], period: Period) -> Statement:
    """Return the statement that counts calls and failures in each bucket that has a call."""
    where, values = condition(query)
    start, length = period.since - _EPOCH, period.until - period.since
    bucket = f"({_MICROSECONDS} - ?) * ? / ?"
    statement = f"SELECT {bucket}, count(*), sum({_FAILED}) FROM {source(columns)} WHERE {where} GROUP BY 1"  # noqa: S608
    return statement, [_microseconds(start), period.buckets, _microseconds(length), *values]


def _microseconds(span: timedelta) -> int:
    return span // timedelta.resolution


def _known(column: str) -> str:
    return f"json_group_array({column}) FILTER (WHERE {column} IS NOT NULL)"
