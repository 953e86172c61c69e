"""An entry keeps its fields, in their order, on the way to JSON and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from {{cookiecutter.project_slug}}.logging.correlation import new_id
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES, LogEntry, has_valid_time, with_valid_time
from {{cookiecutter.project_slug}}.logging.json_safe import encode_json


def test_an_entry_survives_conversion_to_json_and_back() -> None:
    """`from_dict` reverses `to_dict`; the fixed names come first and in their order."""
    entry = LogEntry("c", datetime.now(UTC), "INFO", "internal", "m", input_args={"a": 1}, entry_id=new_id())
    assert LogEntry.from_dict(json.loads(encode_json(entry.to_dict()))) == entry
    assert " ".join(FIELD_NAMES[:17]) == (
        "correlation_id timestamp level log_type message tool_name duration_ms status input_args output_summary "
        "error_message module function line thread_name process_id extra_data"
    )


@pytest.mark.parametrize("value", [None, "yesterday", 1.5, object()])
def test_what_is_no_time_becomes_the_current_one(value: Any) -> None:
    """The type of the value is noted; the entry itself is not changed."""
    entry = LogEntry("c", value, "INFO", "internal", "m", extra_data={"a": 1})
    valid = with_valid_time(entry)
    assert not has_valid_time(entry)
    assert datetime.now(UTC) - valid.timestamp < timedelta(minutes=1)
    assert valid.extra_data == {"a": 1, "timestamp": f"not a time: {type(value).__name__}"}
    assert entry.extra_data == {"a": 1}


@pytest.mark.parametrize("hours", [-5, 5])
@pytest.mark.parametrize("year", [1, 2026, 9999])
def test_a_time_in_another_zone_becomes_the_nearest_in_utc(year: int, hours: int) -> None:
    """Even if the calendar begins or ends in between."""
    moment = datetime(year, 1, 1, 1, tzinfo=UTC) if year == 1 else datetime(year, 12, 31, 23, tzinfo=UTC)
    local = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    valid = with_valid_time(LogEntry("c", local, "INFO", "internal", "m"))
    assert has_valid_time(valid)
    assert abs(valid.timestamp - moment) <= timedelta(hours=5)


def test_missing_fields_get_their_defaults_and_unknown_ones_are_ignored() -> None:
    """A record of another version is readable; a naive timestamp is taken as UTC."""
    entry = LogEntry.from_dict({"timestamp": "2026-01-01T00:00:00", "message": "m", "colour": "red"})
    assert (entry.timestamp, entry.message, entry.level) == (datetime(2026, 1, 1, tzinfo=UTC), "m", "")


@pytest.mark.parametrize("timestamp", [None, "yesterday", 5])
def test_an_entry_without_a_valid_timestamp_is_rejected(timestamp: object) -> None:
    """Its place in time is the one thing that has no default."""
    with pytest.raises(ValueError, match=r"timestamp|isoformat"):
        LogEntry.from_dict({"timestamp": timestamp})
