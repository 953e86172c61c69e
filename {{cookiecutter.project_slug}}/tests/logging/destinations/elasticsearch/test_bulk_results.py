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


async def test_a_batch_is_retried_if_no_index_is_available(stub: Stub, destination_for: Any) -> None:
    """For example, because the cluster has no shards left."""
    stub.replies["POST /_bulk"] = 200, bulk_reply(400, 400, kind="validation_exception")
    with pytest.raises(DeliveryError) as raised:
        await destination_for(stub.url).write_batch(entries(2))
    assert type(raised.value) is DeliveryError


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
