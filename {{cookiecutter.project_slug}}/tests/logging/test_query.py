"""The filters of a query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.query import LogQuery


@pytest.mark.parametrize(
    "filters",
    [
        {"limit": 0},
        {"limit": True},
        {"limit": "5"},
        {"offset": -1},
        {"since": "today"},
        {"colour": "red"},
        {"level": 30},
        {"level": ""},
        {"level": []},
        {"level": ["INFO", None]},
    ],
)
def test_an_invalid_filter_is_reported(filters: dict[str, Any]) -> None:
    """The message names the filter."""
    with pytest.raises(SettingError, match=next(iter(filters))):
        LogQuery.of(**filters)


def test_filters_are_normalised() -> None:
    """Known levels are upper case, other levels stay as they are; times without a zone are UTC."""
    query = LogQuery.of(level=["debug", "Notice"], since=datetime(2026, 1, 31))  # noqa: DTZ001 - without a zone
    assert query.levels == ("DEBUG", "Notice")
    assert query.since == datetime(2026, 1, 31, tzinfo=UTC)
