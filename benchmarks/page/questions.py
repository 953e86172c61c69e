"""What the page asks, in the words of its API and in those of a store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from .data import DAYS, RARE_PRINCIPAL, RARE_TEXT

ROWS = 50
BUCKETS = 60
Kind = Literal["newest", "stats", "histogram", "text"]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What a word of the filter line means: a comparison of a field with a value."""

    field: str
    value: str | float
    comparison: Literal["=", ">=", "<"] = "="


CALLS = Condition(field="log_type", value="tool_execution")


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question to the API, and what it means; the conditions of `any_id` are alternatives of one."""

    figure: str
    kind: Kind
    line: str = ""
    conditions: tuple[Condition, ...] = field(default=(CALLS,))
    any_id: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the request."""
        extra = {
            "newest": {"limit": str(ROWS)},
            "stats": {"by": "tool"},
            "histogram": {"buckets": str(BUCKETS)},
            "text": {"limit": str(ROWS), "seconds": "1"},
        }
        return {"q": self.line, **extra[self.kind]}


def questions(entry_id: str, correlation_id: str) -> list[Question]:
    """Return all questions; the ids are those of a stored entry."""
    day, two_hours, week = (_ago(hours) for hours in (24, 2, 24 * 7))
    return [
        Question(figure="newest", kind="newest"),
        _filtered("tool", "tool-7", "tool_name"),
        _filtered("status", "error", "status"),
        _filtered("client", "cursor", "client_name"),
        _filtered("principal", RARE_PRINCIPAL, "principal"),
        _filtered("error-type", "ValueError", "error_type"),
        _of("min-ms:900", CALLS, Condition(field="duration_ms", value=900, comparison=">=")),
        _of(f"since:{two_hours}", CALLS, _since(two_hours)),
        _of(f"until:{week}", CALLS, Condition(field="timestamp", value=week, comparison="<")),
        _of("level:CRITICAL", Condition(field="level", value="CRITICAL")),
        _of("type:internal", Condition(field="log_type", value="internal")),
        _of("method:tools/call", Condition(field="method", value="tools/call")),
        _of(f"correlation-id:{correlation_id}", Condition(field="correlation_id", value=correlation_id)),
        Question(figure="id:", kind="newest", line=f"id:{entry_id[:8]}", conditions=(), any_id=entry_id[:8]),
        Question(
            figure="stats of 24 h",
            kind="stats",
            line=f"since:{day}",
            conditions=(CALLS, _since(day)),
        ),
        Question(
            figure="histogram of 24 h",
            kind="histogram",
            line=f"since:{day}",
            conditions=(CALLS, _since(day)),
        ),
        Question(figure=f"histogram of {DAYS} d", kind="histogram"),
        Question(figure="text", kind="text", line=RARE_TEXT),
    ]


def _ago(hours: int) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat(timespec="microseconds")


def _since(moment: str) -> Condition:
    return Condition(field="timestamp", value=moment, comparison=">=")


def _filtered(word: str, value: str, name: str) -> Question:
    return _of(f"{word}:{value}", CALLS, Condition(field=name, value=value))


def _of(line: str, *conditions: Condition) -> Question:
    return Question(figure=f"{line.partition(':')[0]}:", kind="newest", line=line, conditions=conditions)
