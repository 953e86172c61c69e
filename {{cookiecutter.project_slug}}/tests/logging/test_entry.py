"""An entry keeps its fields, in their order, on the way to JSON and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from {{cookiecutter.project_slug}}.logging.correlation import new_id
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES, LogEntry
from {{cookiecutter.project_slug}}.logging.json_safe import encode_json


def test_an_entry_survives_conversion_to_json_and_back() -> None:
    """`from_dict` reverses `to_dict`; the fixed names come first and in their order."""
    entry = LogEntry("c", datetime.now(UTC), "INFO", "internal", "m", input_args={"a": 1}, entry_id=new_id())
    assert LogEntry.from_dict(json.loads(encode_json(entry.to_dict()))) == entry
    assert " ".join(FIELD_NAMES[:17]) == (
        "correlation_id timestamp level log_type message tool_name duration_ms status input_args output_summary "
        "error_message module function line thread_name process_id extra_data"
    )


def test_missing_fields_get_their_defaults_and_unknown_ones_are_ignored() -> None:
    """A record of another version is readable; a naive timestamp is taken as UTC."""
    entry = LogEntry.from_dict({"timestamp": "2026-01-01T00:00:00", "message": "m", "colour": "red"})
    assert (entry.timestamp, entry.message, entry.level) == (datetime(2026, 1, 1, tzinfo=UTC), "m", "")


@pytest.mark.parametrize("timestamp", [None, "yesterday", 5])
def test_an_entry_without_a_valid_timestamp_is_rejected(timestamp: object) -> None:
    """Its place in time is the one thing that has no default."""
    with pytest.raises(ValueError, match=r"timestamp|isoformat"):
        LogEntry.from_dict({"timestamp": timestamp})
