"""The bare statements in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .questions import ROWS

if TYPE_CHECKING:
    from .questions import Condition, Question


def newest(table: str, question: Question, columns: str) -> str:
    """Return the statement for the newest entries."""
    return f"SELECT {columns} FROM {table} WHERE {where(question)} ORDER BY timestamp DESC LIMIT {ROWS}"  # noqa: S608


def where(question: Question) -> str:
    """Return the condition of a question."""
    conditions = [f"{each.field} {each.comparison} {_literal(each)}" for each in question.conditions]
    if text := question.any_id:
        ends = [f"{name} LIKE '{text}%' OR {name} LIKE '%{text}'" for name in ("entry_id", "correlation_id")]
        conditions.append(f"({' OR '.join(ends)})")
    return " AND ".join(conditions)


def _literal(condition: Condition) -> str:
    return str(condition.value) if isinstance(condition.value, int | float) else f"'{condition.value}'"
