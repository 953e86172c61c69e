"""A batch of entries becomes Elasticsearch's `_bulk` requests, and each entry has the outcome that its reply says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from helpers import deliver, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import RetryWrapper
from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.encoding import MAX_REQUEST
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import (
    AccessError,
    DeliveryError,
    InvalidEntryError,
    PartialDeliveryError,
)

from . import elasticsearch_helpers
from .elasticsearch_helpers import DAY, Stub, bulk_reply, entries

stub, destination = elasticsearch_helpers.stub, elasticsearch_helpers.destination


async def test_a_batch_is_one_request_of_ndjson(stub: Stub, destination: Any) -> None:
    """Each entry is created under its own id, in the index of its own UTC date."""
    batch = [
        make_entry("a", timestamp=DAY, entry_id='id "1"'),
        make_entry("b", timestamp=datetime(2025, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=2)))),
    ]
    await destination(stub.url, index_prefix="logs").write_batch(batch)
    (bulk,) = stub.of("/_bulk")
    assert bulk.query == {"filter_path": "errors,items.*.status,items.*.error"}
    assert bulk.lines[0] == {"create": {"_index": "logs-2026.03.14", "_id": 'id "1"'}}
    assert bulk.lines[2] == {"create": {"_index": "logs-2024.12.31", "_id": batch[1].entry_id}}
    assert bulk.lines[1]["timestamp"] == "2026-03-14T15:09:26.535897+00:00"
    assert bulk.lines[3]["timestamp"] == "2024-12-31T22:30:00+00:00"


async def test_what_is_none_is_absent_and_the_rest_keeps_its_name(stub: Stub, destination: Any) -> None:
    """A document reads back as the entry it was."""
    full = LogEntry(**{name: f"value of {name}" for name in FIELD_NAMES})
    full.timestamp, full.input_args, full.line = DAY, {"none": None}, 7
    bare = make_entry(timestamp=DAY)
    await destination(stub.url).write_batch([full, bare])
    documents = stub.of("/_bulk")[0].lines[1::2]
    assert set(documents[0]) == set(FIELD_NAMES)
    assert set(documents[1]) == {name for name in FIELD_NAMES if getattr(bare, name) is not None}
    assert [LogEntry.from_dict(document) for document in documents] == [full, bare]


async def test_odd_values_of_an_entry_become_text_and_lose_no_other_field(stub: Stub, destination: Any) -> None:
    """Also where the fast encoder refuses the whole entry."""
    odd = make_entry("lone \ud800", timestamp=DAY, extra_data={"set": {1}, (1, 2): 2**80}, hostname="here")
    await destination(stub.url).write(odd)
    document = stub.of("/_bulk")[0].lines[1]
    assert document["message"] == "lone \\ud800"
    assert document["extra_data"] == {"set": [1], "(1, 2)": str(2**80)}
    assert document["timestamp"] == DAY.isoformat()
    assert (document["entry_id"], document["hostname"]) == (odd.entry_id, "here")


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_a_large_batch_is_several_requests(stub: Stub, destination: Any) -> None:
    """None is larger than the bound unless it holds a single entry, and no entry is missing."""
    batch = [*entries(300, output_summary="x" * 10_000), make_entry("y" * 2 * MAX_REQUEST), *entries(1)]
    await destination(stub.url).write_batch(batch)
    bulks = stub.of("/_bulk")
    assert all(len(bulk.body) <= MAX_REQUEST or len(bulk.lines) == 2 for bulk in bulks)
    assert [line["create"]["_id"] for bulk in bulks for line in bulk.lines[::2]] == [entry.entry_id for entry in batch]


async def test_an_empty_batch_asks_for_nothing(stub: Stub, destination: Any) -> None:
    """And is delivered."""
    await destination(stub.url).write_batch([])
    assert not stub.of("/_bulk")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        "garbage",
        b"<html>back soon</html>",
        {"errors": True},
        {"errors": True, "items": []},
        {"errors": True, "items": [{"index": {"status": 400}}]},
        {"errors": False},
        {"errors": False, "items": []},
        {"errors": "none", "items": ["taken"]},
    ],
)
async def test_garbage_is_no_delivery(stub: Stub, destination: Any, answer: object) -> None:
    """It is passing trouble, said in a sentence: the batch comes again."""
    stub.answers["POST /_bulk"] = 200, answer
    said = "What answers at ELASTICSEARCH_HOSTS is not Elasticsearch: it does not tell what became of the entries"
    with pytest.raises(DeliveryError, match=f"^{said}$") as raised:
        await destination(stub.url).write(make_entry())
    assert type(raised.value) is DeliveryError


@pytest.mark.parametrize("busy", [1, 3])
async def test_what_is_sent_again_after_midnight_stays_in_the_index_of_its_day(
    stub: Stub, destination: Any, busy: int
) -> None:
    """By the second attempt, and by that of a buffer which comes back to what was given up."""
    stub.busy = busy
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    entry = make_entry(timestamp=midnight - timedelta(milliseconds=100))
    buffer = await deliver(RetryWrapper(destination(stub.url), max_attempts=2), [entry])
    assert (buffer.counters.written, buffer.counters.retried, len(stub.of("/_bulk"))) == (1, (busy + 1) // 2, busy + 1)
    for bulk in stub.of("/_bulk"):
        action, document = bulk.lines
        assert action["create"]["_index"] == f"mcp-logs-{entry.timestamp:%Y.%m.%d}"
        assert document["timestamp"] == entry.timestamp.isoformat()


async def test_each_entry_has_an_outcome_of_its_own(stub: Stub, destination: Any) -> None:
    """Taken and known ones are done, busy ones come again, the refused ones are given up."""
    stub.statuses = [201, 409, 429, 503, 400, 403]
    batch = entries(6)
    with pytest.raises(PartialDeliveryError, match=r"4 of 6 entries: 429 some_exception: because") as raised:
        await destination(stub.url).write_batch(batch)
    assert raised.value.retryable == batch[2:4]
    assert raised.value.invalid == batch[4:]


async def test_entries_that_are_known_already_are_delivered(stub: Stub, destination: Any) -> None:
    """What was written before an unknown outcome is answered by 409."""
    stub.statuses = [409, 409]
    await destination(stub.url).write_batch(entries(2))


async def test_a_batch_that_is_not_at_fault_is_not_given_up(stub: Stub, destination: Any) -> None:
    """Where nothing may be written we are refused; where no index can be made the batch waits."""
    stub.answers["POST /_bulk"] = 200, bulk_reply(403, 403, kind="security_exception")
    with pytest.raises(AccessError, match="403 security_exception: because"):
        await destination(stub.url).write_batch(entries(2))
    stub.answers["POST /_bulk"] = 200, bulk_reply(400, 400, kind="validation_exception")
    with pytest.raises(DeliveryError) as raised:
        await destination(stub.url).write_batch(entries(2))
    assert type(raised.value) is DeliveryError


async def test_an_entry_without_a_time_is_rejected(stub: Stub, destination: Any) -> None:
    """The wrappers isolate it."""
    with pytest.raises(InvalidEntryError, match="timestamp"):
        await destination(stub.url).write(make_entry(timestamp="yesterday"))
