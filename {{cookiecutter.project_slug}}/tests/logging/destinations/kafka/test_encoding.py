"""The record of an entry: its value, key, headers, time and partition."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import orjson
import pytest

from {{cookiecutter.project_slug}}.logging.destinations.kafka.encoding import by_partition, make_record
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES

from .kafka_helpers import MOMENT, entry

MAX_BYTES = 1_048_576


def test_a_record_is_the_entry_as_json_with_all_fields() -> None:
    """Absent fields are null, the time is ISO 8601 UTC, and the ids are in the key and a header."""
    known = entry("done", timestamp=MOMENT, tool_name="echo", input_args={"text": "hé"}, correlation_id="call-1")
    timestamp, key, encoded, headers = make_record(known, max_bytes=MAX_BYTES)
    value = orjson.loads(encoded)
    assert tuple(value) == FIELD_NAMES
    assert value == {**known.to_dict(), "timestamp": "2026-03-29T00:59:59.255000+00:00"}
    assert (timestamp, key) == (1_774_745_999_255, b"call-1")
    assert headers == [("entry_id", known.entry_id.encode()), ("schema_version", b"2")]


@pytest.mark.parametrize(
    "moment",
    [MOMENT.replace(microsecond=0), MOMENT.astimezone(timezone(timedelta(hours=2))), datetime.min.replace(tzinfo=UTC)],
)
def test_all_times_have_the_same_form(moment: datetime) -> None:
    """Full seconds and other time zones too; no record has a negative time."""
    timestamp, _, value, _ = make_record(entry(timestamp=moment), max_bytes=MAX_BYTES)
    assert orjson.loads(value)["timestamp"] == moment.astimezone(UTC).isoformat(timespec="microseconds")
    assert timestamp >= 0


def test_values_that_are_not_json_become_text() -> None:
    """A user may write an entry that did not pass through EntryFactory."""
    odd = {"id": uuid4(), "big": 2**70, "lone": "\ud800", "set": {1}, "raw": b"\xff", 3: "key"}
    odd_entry = entry("\udfff", extra_data=odd, correlation_id="\ud800" * 1_000)
    _, key, value, _ = make_record(odd_entry, max_bytes=MAX_BYTES)
    assert orjson.loads(value)["extra_data"]["big"] == str(2**70)
    assert len(key) <= 512


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "m" * 3_000_000},
        {"message": "\x01" * 600_000, "output_summary": "ö" * 600_000, "input_args": {"text": "x" * 600_000}},
        {"input_args": {"numbers": [[1] * 1_000] * 1_000}},
        {"extra_data": {"numbers": [[1] * 1_000] * 1_000, "kept": True}},
        {"message": "short", "input_args": {str(number): "x" * 100 for number in range(20_000)}},
    ],
)
def test_an_oversized_entry_is_trimmed_to_fit_and_marked(fields: dict[str, object]) -> None:
    """Its ids and short fields stay, and `trimmed` contains its full size."""
    large = entry(**{"tool_name": "echo", **fields})  # type: ignore[arg-type]
    _, _, encoded, _ = make_record(large, max_bytes=MAX_BYTES)
    value = orjson.loads(encoded)
    assert len(encoded) <= MAX_BYTES - 2_048
    assert value["extra_data"]["trimmed"] > MAX_BYTES
    assert (value["entry_id"], value["tool_name"]) == (large.entry_id, "echo")
    assert value["message"][:5] == large.message[:5]


def test_entries_with_the_same_correlation_id_share_a_partition() -> None:
    """It is the partition that other Kafka clients compute, and the entries keep their order."""
    from aiokafka.partitioner import DefaultPartitioner

    entries = [entry(str(number), correlation_id=f"call-{number % 7}") for number in range(70)]
    groups = dict(by_partition(entries, [0, 1, 2]))
    assert sum(map(len, groups.values())) == 70
    for partition, group in groups.items():
        for item in group:
            assert DefaultPartitioner()(item.correlation_id.encode(), [0, 1, 2], []) == partition
        assert [int(item.message) for item in group] == sorted(int(item.message) for item in group)
