"""The filters of a query, the same for every readable destination."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self, get_args

from .errors import SettingError
from .settings import Level

MAX_LIMIT = 10_000
MAX_OFFSET = 2**31
LEVELS: tuple[Level, ...] = get_args(Level)
"""The levels, least severe first."""
TEXT_FIELDS = ("message", "error_message", "output_summary", "tool_name")
"""The fields that the `text` filter searches, besides the arguments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LogQuery:
    """The filters of a query; None matches everything.

    `level` is one level or several; loguru's own levels match in any case. `since` is inclusive and `until` exclusive;
    naive datetimes are taken as UTC. `text` is a case-insensitive substring, without wildcards, of the message, error
    message, output summary or tool name, and of the arguments if the destination can search them.
    """

    correlation_id: str | None = None
    tool_name: str | None = None
    level: str | tuple[str, ...] | None = None
    log_type: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    limit: int = 50
    offset: int = 0

    @classmethod
    def of(cls, **filters: Any) -> Self:
        """Validate filters; raise SettingError that names the filter, its value and what is valid."""
        known = [item.name for item in fields(cls)]
        for name in filters:
            if name not in known:
                msg = f"Unknown filter {name!r}; the filters are {', '.join(known)}"
                raise SettingError(msg)
        filters["level"] = _levels(filters.get("level"))
        for name in ("since", "until"):
            filters[name] = _utc(name, filters.get(name))
        _check_range("limit", filters.get("limit", 50), low=1, high=MAX_LIMIT)
        _check_range("offset", filters.get("offset", 0), low=0, high=MAX_OFFSET)
        return cls(**filters)

    @property
    def levels(self) -> tuple[str, ...]:
        """The wanted levels; empty for all."""
        if self.level is None:
            return ()
        return (self.level,) if isinstance(self.level, str) else tuple(self.level)

    @property
    def equals(self) -> dict[str, str]:
        """The filters that match one field exactly."""
        names = ("correlation_id", "tool_name", "log_type", "status")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def _levels(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = (value,) if isinstance(value, str) else value
    if not isinstance(names, Collection) or not names or not all(isinstance(name, str) and name for name in names):
        msg = f"The filter level is {value!r}; it must be the name of a level, such as WARNING, or several names"
        raise SettingError(msg)
    return tuple(name.upper() if name.upper() in LEVELS else name for name in names)


def _utc(name: str, value: object) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        msg = f"The filter {name} is {value!r}; it must be a datetime"
        raise SettingError(msg)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _check_range(name: str, value: object, *, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        msg = f"The filter {name} is {value!r}; it must be between {low} and {high}"
        raise SettingError(msg)
