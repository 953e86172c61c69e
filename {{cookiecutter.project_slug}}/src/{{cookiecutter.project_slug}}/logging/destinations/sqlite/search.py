"""The statement for a query of the SQLite table."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ...entry import FIELD_NAMES, iso_utc
from ...json_safe import decode_json, scalars
from ...query import TEXT_FIELDS, LogQuery
from .schema import NAMES, TABLE

Statement = tuple[str, list[Any]]
"""SQL and its parameters."""


def select(query: LogQuery, columns: Collection[str]) -> Statement:
    """Return the statement that finds the matching rows of a table with these columns, in the order of the query."""
    where, values = condition(query)
    order = "timestamp DESC, id DESC"
    if query.slowest:
        where, order = f"{where} AND duration_ms IS NOT NULL", f"duration_ms DESC, {order}"
    page = f"ORDER BY {order} LIMIT ? OFFSET ?"
    return f"SELECT {NAMES} FROM {source(columns)} WHERE {where} {page}", [*values, query.limit, query.offset]  # noqa: S608


def source(columns: Collection[str]) -> str:
    """Return the table for a FROM clause, with NULL for the columns that an older project did not create."""
    missing = [f"NULL AS {name}" for name in FIELD_NAMES if name not in columns]
    return f"(SELECT *, {', '.join(missing)} FROM {TABLE})" if missing else TABLE  # noqa: S608


def condition(query: LogQuery) -> Statement:
    """Return the condition that matching rows meet, and its parameters; it calls `matches`."""
    conditions, values = [f"{name} = ?" for name in query.equals], list[Any](query.equals.values())
    if query.level:
        conditions.append(f"level IN ({', '.join('?' * len(query.level))})")
        values += query.level
    if query.any_id is not None:
        conditions.append(f"id IN ({_having_id(len(query.any_id))})")
        values += [query.any_id] * 4
    if query.min_duration_ms is not None:
        conditions.append("duration_ms >= ?")
        values.append(query.min_duration_ms)
    if query.since is not None:
        conditions.append("timestamp >= ?")
        values.append(iso_utc(query.since))
    if query.until is not None:
        conditions.append("timestamp < ?")
        values.append(iso_utc(query.until))
    if query.text is not None:
        conditions.append(f"matches(?, input_args, {', '.join(TEXT_FIELDS)})")
        values.append(query.text.casefold())
    return " AND ".join(conditions) or "1", values


def _having_id(length: int) -> str:
    """Return the statement for the rows with an id that begins or ends with a text; it scans two indexes, no rows."""
    return " UNION ALL ".join(
        f"SELECT id FROM {TABLE} WHERE substr({name}, 1, {length}) = ? OR substr({name}, -{length}) = ?"  # noqa: S608
        for name in ("entry_id", "correlation_id")
    )


def matches(wanted: str, json_text: str | None, *texts: str | None) -> bool:
    """Return whether a text or a JSON value contains `wanted`, case-folded; LIKE ignores the case of ASCII only."""
    if any(text is not None and wanted in text.casefold() for text in texts):
        return True
    return json_text is not None and any(wanted in str(value).casefold() for value in scalars(decode_json(json_text)))
