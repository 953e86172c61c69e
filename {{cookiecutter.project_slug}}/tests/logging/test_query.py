"""Filters are checked and normalised once, for all destinations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.query import MAX_LIMIT, MAX_OFFSET, LogQuery

INVALID = {
    "limit too low": ({"limit": 0}, "The filter limit is 0: Input should be greater than or equal to 1"),
    "limit too high": ({"limit": MAX_LIMIT + 1}, "The filter limit is 10001"),
    "limit as boolean": ({"limit": True}, "The filter limit is True"),
    "limit as text": ({"limit": "5"}, "The filter limit is '5'"),
    "negative offset": ({"offset": -1}, "The filter offset is -1: Input should be greater than or equal to 0"),
    "offset too high": ({"offset": MAX_OFFSET + 1}, "The filter offset is"),
    "time as text": ({"since": "today"}, "The filter since is 'today': Input should be a valid datetime"),
    "end as number": ({"until": 5}, "The filter until is 5: Input should be a valid datetime"),
    "unknown": ({"colour": "red"}, "Unknown filter 'colour'; the filters are correlation_id, tool_name, level"),
    "level as number": ({"level": 30}, "The filter level is 30: Input should be the name of a level"),
    "empty level": ({"level": ""}, "The filter level is ''"),
    "no levels": ({"level": []}, r"The filter level is \[\]"),
    "level None among names": ({"level": ["INFO", None]}, "The filter level is"),
}


@pytest.mark.parametrize(("filters", "message"), INVALID.values(), ids=INVALID)
def test_an_invalid_filter_is_rejected(filters: dict[str, Any], message: str) -> None:
    """The message names the filter, its value and what is valid."""
    with pytest.raises(SettingError, match=f"^{message}"):
        LogQuery.of(**filters)


def test_without_filters_the_newest_50_entries_match() -> None:
    """None of the fields is restricted."""
    query = LogQuery.of()
    assert (query.limit, query.offset, query.level, query.equals) == (50, 0, (), {})


@pytest.mark.parametrize(
    ("level", "levels"),
    [("warning", ("WARNING",)), (["Info", "ERROR"], ("INFO", "ERROR")), ("Audit", ("Audit",)), (None, ())],
)
def test_levels_match_in_any_case(level: Any, levels: tuple[str, ...]) -> None:
    """Only loguru's own ones; a level that the application defined keeps its case."""
    assert LogQuery.of(level=level).level == levels


def test_times_are_converted_to_utc() -> None:
    """A naive time is taken as UTC."""
    noon = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    query = LogQuery.of(since=noon, until=datetime(2026, 1, 2))  # noqa: DTZ001 - on purpose
    assert (query.since, query.until) == (datetime(2026, 1, 1, 10, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert query.since.tzinfo is UTC


def test_exact_filters_are_listed_by_field() -> None:
    """Destinations translate them without knowing their names."""
    query = LogQuery.of(tool_name="echo", status="error", text="boom", level="INFO")
    assert query.equals == {"tool_name": "echo", "status": "error"}
