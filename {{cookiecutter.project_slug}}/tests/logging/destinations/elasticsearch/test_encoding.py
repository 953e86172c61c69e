"""Entries become the bodies of `_bulk` requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from helpers import deliver, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import RetryWrapper
from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.encoding import MAX_BODY_BYTES
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.schema import ARGUMENT_VALUES
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import InvalidEntryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import DAY, Stub, entries

stub, destination_for = elasticsearch_helpers.stub, elasticsearch_helpers.destination_for


async def test_a_batch_is_one_request_of_json_lines(stub: Stub, destination_for: Any) -> None:
    """Each entry is created under its own id, in the index of its UTC date."""
    batch = [
        make_entry("a", timestamp=DAY, entry_id='id "1"'),
        make_entry("b", timestamp=datetime(2025, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))),
    ]
    await destination_for(stub.url, elasticsearch_index_prefix="logs").write_batch(batch)
    (bulk,) = stub.received("/_bulk")
    assert bulk.query == {"filter_path": "errors,items.*.status,items.*.error"}
    assert bulk.lines[0] == {"create": {"_index": "logs-2026.03.14", "_id": 'id "1"'}}
    assert bulk.lines[2] == {"create": {"_index": "logs-2024.12.31", "_id": batch[1].entry_id}}
    assert bulk.lines[1]["timestamp"] == "2026-03-14T15:09:26.535897+00:00"
    assert bulk.lines[3]["timestamp"] == "2024-12-31T22:30:00+00:00"


async def test_a_document_has_the_fields_that_are_not_none(stub: Stub, destination_for: Any) -> None:
    """It can be read back as the same entry."""
    full = LogEntry(**{name: f"value of {name}" for name in FIELD_NAMES})
    full.timestamp, full.input_args, full.line = DAY, {"none": None, "list": [1, {"deep": "text"}]}, 7
    bare = make_entry(timestamp=DAY)
    await destination_for(stub.url).write_batch([full, bare])
    (bulk,) = stub.received("/_bulk")
    documents = bulk.lines[1::2]
    assert set(documents[0]) == {*FIELD_NAMES, ARGUMENT_VALUES}
    assert set(documents[1]) == {name for name in FIELD_NAMES if getattr(bare, name) is not None}
    assert documents[0][ARGUMENT_VALUES] == [1, "text"]
    assert [LogEntry.from_dict(document) for document in documents] == [full, bare]


async def test_values_that_json_does_not_support_become_text(stub: Stub, destination_for: Any) -> None:
    """No other field is lost, even if orjson rejects the entry as a whole."""
    odd = make_entry("lone \ud800", timestamp=DAY, extra_data={"set": {1}, (1, 2): 2**80}, hostname="here")
    odd.input_args = {"set": {1, 2}, "large": 2**80}
    await destination_for(stub.url).write(odd)
    document = stub.received("/_bulk")[0].lines[1]
    assert document["message"] == "lone \\ud800"
    assert document["extra_data"] == {"set": [1], "(1, 2)": str(2**80)}
    assert document[ARGUMENT_VALUES] == [1, 2, str(2**80)]
    assert document["timestamp"] == DAY.isoformat()
    assert (document["entry_id"], document["hostname"]) == (odd.entry_id, "here")


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_large_batch_is_split_into_several_requests(stub: Stub, destination_for: Any) -> None:
    """Only a request with a single entry exceeds the maximum size; all entries are sent, in order."""
    batch = [*entries(300, output_summary="x" * 10_000), make_entry("y" * 2 * MAX_BODY_BYTES), *entries(1)]
    await destination_for(stub.url).write_batch(batch)
    bulks = stub.received("/_bulk")
    assert all(len(bulk.body) <= MAX_BODY_BYTES or len(bulk.lines) == 2 for bulk in bulks)
    assert [line["create"]["_id"] for bulk in bulks for line in bulk.lines[::2]] == [entry.entry_id for entry in batch]


async def test_an_empty_batch_sends_no_bulk_request(stub: Stub, destination_for: Any) -> None:
    """It counts as delivered."""
    await destination_for(stub.url).write_batch([])
    assert not stub.received("/_bulk")


@pytest.mark.parametrize("busy", [1, 3])
async def test_an_entry_retried_after_midnight_stays_in_the_index_of_its_day(
    stub: Stub, destination_for: Any, busy: int
) -> None:
    """Both for a retry by the wrapper and for a later one by the buffer."""
    stub.busy = busy
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    entry = make_entry(timestamp=midnight - timedelta(milliseconds=100))
    buffer = await deliver(RetryWrapper(destination_for(stub.url), max_attempts=2), [entry])
    bulks = stub.received("/_bulk")
    assert (buffer.counters.written, buffer.counters.retried, len(bulks)) == (1, (busy + 1) // 2, busy + 1)
    for bulk in bulks:
        action, document = bulk.lines
        assert action["create"]["_index"] == f"mcp-logs-{entry.timestamp:%Y.%m.%d}"
        assert document["timestamp"] == entry.timestamp.isoformat()


async def test_an_entry_without_a_valid_timestamp_is_invalid(stub: Stub, destination_for: Any) -> None:
    """The buffer isolates and drops it."""
    with pytest.raises(InvalidEntryError, match="timestamp 'yesterday'"):
        await destination_for(stub.url).write(make_entry(timestamp="yesterday"))
