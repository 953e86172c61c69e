"""The SQL that finds entries and computes the statistics of calls; a missing column reads as NULL."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...entry import SUCCESSES
from ...histogram import Period
from ...json_safe import safe_text
from ...query import TEXT_FIELDS, LogQuery
from ...stats import GROUP_FIELDS, OUTPUT_PERCENTILE, PERCENTILES, PERIOD_LENGTHS, Group, GroupStats
from .schema import TOOL_PREFIX, Table

if TYPE_CHECKING:
    import asyncpg

Statement = tuple[str, list[Any]]
"""SQL, and the values of its parameters."""
ID_FIELDS = ("entry_id", "correlation_id")


def select(table: Table, query: LogQuery) -> Statement:
    """Return the statement that finds the entries of a query, newest or slowest first."""
    where, values = _where(table, query)
    columns = ", ".join(map(table.column, table.columns))
    order = f"{'duration_ms DESC, ' if query.slowest else ''}timestamp DESC, entry_id DESC"
    page = f"LIMIT ${len(values) + 1} OFFSET ${len(values) + 2}"
    statement = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {order} {page}"  # noqa: S608
    return statement, [*values, query.limit, query.offset]


def summarize(table: Table, query: LogQuery, *, by: Group) -> Statement:
    """Return the statement that computes the statistics of the entries of a query, one row per group."""
    where, values = _where(table, query)
    shares, share = f"${len(values) + 2}::float8[]", f"${len(values) + 3}::float8"
    size = table.column("output_size")
    columns = (
        f'{_group(table, by)} AS "group"',
        "count(*) AS calls",
        f"{_failures(len(values) + 1)} AS failures",
        f"percentile_disc({shares}) WITHIN GROUP (ORDER BY duration_ms) AS percentiles",
        "max(duration_ms) AS max_ms",
        f"avg({size})::float8 AS output_size",
        f"percentile_disc({share}) WITHIN GROUP (ORDER BY {size}) AS output_p95",
        f"sum({size})::bigint AS output_total",
    )
    statement = f"SELECT {', '.join(columns)} FROM {table} WHERE {where} GROUP BY 1"  # noqa: S608
    shares_of = [percent / 100 for percent in PERCENTILES]
    return statement, [*values, list(SUCCESSES), shares_of, OUTPUT_PERCENTILE / 100]


def buckets(table: Table, query: LogQuery, period: Period) -> Statement:
    """Return the statement that counts the entries of a query in each bucket that has one, and their failures."""
    where, values = _where(table, query)
    columns = f"width_bucket(timestamp, ${len(values) + 2}::timestamptz[]), count(*), {_failures(len(values) + 1)}"
    statement = f"SELECT {columns} FROM {table} WHERE {where} GROUP BY 1"  # noqa: S608
    return statement, [*values, list(SUCCESSES), period.edges[1:]]


def oldest_in(table: Table) -> Statement:
    """Return the statement that finds the time of the oldest entry, which an index has."""
    return f"SELECT min(timestamp) AS oldest FROM {table}", []  # noqa: S608


def contents_of(table: Table) -> Statement:
    """Return the statement that says what is in the table; each of its parts reads an index or the catalogue."""
    ends = (f"(SELECT {end}(timestamp) FROM {table}) AS {name}" for end, name in (("min", "oldest"), ("max", "newest")))  # noqa: S608
    size = "pg_total_relation_size($1::regclass) AS size_bytes"
    return f"SELECT (SELECT count(*) FROM {table}) AS entries, {', '.join(ends)}, {size}", [str(table)]  # noqa: S608


def group_of(record: asyncpg.Record) -> GroupStats:
    """Return the statistics in a row of `summarize`."""
    values = dict(record)
    percentiles = values.pop("percentiles") or [None] * len(PERCENTILES)
    ranks = {f"p{percent}_ms": value for percent, value in zip(PERCENTILES, percentiles, strict=True)}
    return GroupStats(**values, **ranks)


def _failures(parameter: int) -> str:
    """Return the number of failures; the parameter holds the outcomes that are none."""
    return f"count(*) FILTER (WHERE (status = ANY(${parameter}::text[])) IS NOT TRUE)"


def _group(table: Table, by: Group) -> str:
    if by in PERIOD_LENGTHS:
        return f"""left(to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24'), {PERIOD_LENGTHS[by]})"""
    return table.column(GROUP_FIELDS[by])


def _where(table: Table, query: LogQuery) -> Statement:
    """Return the condition of a query and the values of its parameters."""
    conditions, values = ["duration_ms IS NOT NULL" if query.slowest else "true"], list[Any]()
    for condition, value in _conditions(table, query):
        values.append(_as_stored(value))
        conditions.append(f"({condition.replace('?', f'${len(values)}')})")
    return " AND ".join(conditions), values


def _conditions(table: Table, query: LogQuery) -> Iterator[tuple[str, object]]:
    """Yield conditions, each with the value that its question marks stand for."""
    for name, text in query.equals.items():
        yield f"{table.column(name)} = ?", text
    if query.tool_name is not None:  # the condition that the index supports
        yield f"left(tool_name, {TOOL_PREFIX}) = ?", _as_stored(query.tool_name)[:TOOL_PREFIX]
    if query.level:
        yield "level = ANY(?::text[])", list(query.level)
    if query.since is not None:
        yield "timestamp >= ?", query.since
    if query.until is not None:
        yield "timestamp < ?", query.until
    if query.min_duration_ms is not None:
        yield "duration_ms >= ?", query.min_duration_ms
    if query.any_id is not None:
        yield " OR ".join(map(_begins_or_ends, ID_FIELDS)), _without_wildcards(_as_stored(query.any_id))
    if query.text is not None:
        yield " OR ".join([*(_contains(table.column(name)) for name in TEXT_FIELDS), _ARGUMENT_CONTAINS]), query.text


def _begins_or_ends(name: str) -> str:
    return f"{name} LIKE ?::text || '%' OR {name} LIKE '%' || ?::text"


def _without_wildcards(text: str) -> str:
    return re.sub(r"[\\%_]", r"\\\g<0>", text)


def _contains(expression: str) -> str:
    return f"position(lower(?::text) in lower({expression})) > 0"


_VALUE = "value #>> '{}'"
_ARGUMENT_CONTAINS = (
    "EXISTS (SELECT FROM jsonb_path_query(input_args, '$.**') AS value "
    f"WHERE jsonb_typeof(value) NOT IN ('object', 'array') AND {_contains(_VALUE)})"
)
"""Search the values of the arguments, but not their names or JSON punctuation."""


def _as_stored(value: Any) -> Any:
    """Return a text in the form that `clean_row` stores."""
    return safe_text(value, max_text=sys.maxsize) if isinstance(value, str) else value
