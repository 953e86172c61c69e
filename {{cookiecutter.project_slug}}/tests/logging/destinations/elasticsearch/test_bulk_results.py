"""Each entry of a batch gets the outcome that the `_bulk` reply reports for it."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, PartialDeliveryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import Stub, bulk_reply, entries

stub, destination_for = elasticsearch_helpers.stub, elasticsearch_helpers.destination_for


async def test_busy_entries_are_retried_and_rejected_ones_dropped(stub: Stub, destination_for: Any) -> None:
    """The other entries of the batch count as written."""
    stub.statuses = [201, 409, 429, 503, 400, 403]
    batch = entries(6)
    with pytest.raises(PartialDeliveryError, match=r"4 of 6 entries: 429 some_exception: because") as raised:
        await destination_for(stub.url).write_batch(batch)
    assert raised.value.retryable == batch[2:4]
    assert raised.value.invalid == batch[4:]


async def test_entries_that_already_exist_count_as_written(stub: Stub, destination_for: Any) -> None:
    """An earlier attempt wrote them, but its reply was lost."""
    stub.statuses = [409, 409]
    await destination_for(stub.url).write_batch(entries(2))


async def test_missing_permissions_for_the_whole_batch_are_an_access_error(stub: Stub, destination_for: Any) -> None:
    """The entries themselves are valid."""
    stub.replies["POST /_bulk"] = 200, bulk_reply(403, 403, kind="security_exception")
    with pytest.raises(AccessError, match="403 security_exception: because"):
        await destination_for(stub.url).write_batch(entries(2))


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (403, "cluster_block_exception", "blocked by: [FORBIDDEN/8/index write (api)];"),
        (429, "cluster_block_exception", "blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark"),
        (503, "cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];"),
        (429, "es_rejected_execution_exception", "rejected execution of coordinating operation"),
        (503, "unavailable_shards_exception", "primary shard is not active"),
        (503, "process_cluster_event_timeout_exception", "failed to process cluster event within 30s"),
        (429, "circuit_breaking_exception", "[parent] Data too large"),
        (400, "index_closed_exception", "closed"),
        (404, "index_not_found_exception", "no such index"),
        (400, "validation_exception", "this action would add [2] shards, but this cluster has [1]/[1] maximum shards"),
        (400, "illegal_argument_exception", "pipeline with id [geo] does not exist"),
        (400, "illegal_argument_exception", "no write index is defined for alias [mcp-logs-2026.03.14]."),
        (400, "routing_missing_exception", "routing is required for [mcp-logs-2026.03.14]/[id]"),
    ],
)
async def test_an_entry_is_retried_if_only_the_cluster_prevents_its_storage(
    stub: Stub, destination_for: Any, status: int, kind: str, reason: str
) -> None:
    """The error's type decides, not its status; the other entries of the batch count as written."""
    error = {"error": {"type": kind, "reason": reason}}
    items = [{"create": {"status": 201}}, {"create": {"status": status, **error}}]
    stub.replies["POST /_bulk"] = 200, {"errors": True, "items": items}
    batch = entries(2)
    with pytest.raises(PartialDeliveryError, match=rf"1 of 2 entries: {status} {kind}: ") as raised:
        await destination_for(stub.url).write_batch(batch)
    assert (raised.value.retryable, raised.value.invalid) == (batch[1:], [])


@pytest.mark.parametrize(
    "kind", ["document_parsing_exception", "illegal_argument_exception", "strict_dynamic_mapping_exception"]
)
async def test_an_entry_that_the_mapping_rejects_is_dropped(stub: Stub, destination_for: Any, kind: str) -> None:
    """It would be rejected again."""
    stub.replies["POST /_bulk"] = 200, bulk_reply(201, 400, kind=kind)
    batch = entries(2)
    with pytest.raises(PartialDeliveryError) as raised:
        await destination_for(stub.url).write_batch(batch)
    assert (raised.value.retryable, raised.value.invalid) == ([], batch[1:])


@pytest.mark.parametrize(
    "reply",
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
async def test_a_batch_is_retried_if_the_reply_has_an_unexpected_format(
    stub: Stub, destination_for: Any, reply: object
) -> None:
    """Status 200 alone does not mean that the entries were written."""
    stub.replies["POST /_bulk"] = 200, reply
    with pytest.raises(DeliveryError, match=r"is not Elasticsearch: its reply has an unexpected format$") as raised:
        await destination_for(stub.url).write(make_entry())
    assert type(raised.value) is DeliveryError
