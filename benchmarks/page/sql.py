"""The bare statements in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .questions import ROWS

if TYPE_CHECKING:
    from .questions import Condition, Question


@dataclass(frozen=True, kw_only=True)
class Statements:
    """The statements of one database; `{where}` stands for the condition of a question."""

    newest: str
    stats: str
    histogram: str

    def answering(self, question: Question) -> str:
        """Return the statement that answers a question."""
        newest = f"{self.newest} WHERE {{where}} ORDER BY timestamp DESC LIMIT {ROWS}"
        kinds = {"stats": self.stats, "histogram": self.histogram}
        return kinds.get(question.kind, newest).format(where=_where(question))


def _where(question: Question) -> str:
    conditions = [f"{each.field} {each.comparison} {_literal(each)}" for each in question.conditions]
    if text := question.any_id:
        ends = [f"{name} LIKE '{text}%' OR {name} LIKE '%{text}'" for name in ("entry_id", "correlation_id")]
        conditions.append(f"({' OR '.join(ends)})")
    return " AND ".join(conditions)


def _literal(condition: Condition) -> str:
    return str(condition.value) if isinstance(condition.value, int | float) else f"'{condition.value}'"
