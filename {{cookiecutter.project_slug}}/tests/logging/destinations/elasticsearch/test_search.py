"""Queries ignore foreign documents and never return a partial result."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import Stub

stub, destination_for = elasticsearch_helpers.stub, elasticsearch_helpers.destination_for


@pytest.mark.parametrize("timestamp", [None, "yesterday", 1_700_000_000_000])
async def test_a_document_without_a_valid_timestamp_is_ignored(
    stub: Stub, destination_for: Any, timestamp: object
) -> None:
    """It does not count for the limit or the offset either."""
    sources = [{"entry_id": "foreign", "timestamp": timestamp}, *(make_entry(text).to_dict() for text in "ab")]
    hits = [{"_index": "mcp-logs-2026.03.14", "_source": source, "sort": [0]} for source in sources]
    stub.replies["POST /mcp-logs-*.*.*/_search"] = 200, {"hits": {"hits": hits}, "_shards": {}}
    destination = destination_for(stub.url)
    assert [entry.message for entry in await destination.query()] == ["a", "b"]
    assert [entry.message for entry in await destination.query(offset=1)] == ["b"]


async def test_a_query_fails_if_a_daily_index_cannot_be_searched(stub: Stub, destination_for: Any) -> None:
    """A failure of a foreign index that happens to match the pattern is ignored."""
    reply: dict[str, Any] = {"hits": {"hits": []}, "_shards": {"failed": 1}}
    stub.replies["POST /mcp-logs-*.*.*/_search"] = 200, reply
    destination = destination_for(stub.url)
    reply["_shards"]["failures"] = [{"index": "mcp-logs-more-2026.03.14", "reason": {"reason": "because"}}]
    assert await destination.query() == []
    reply["_shards"]["failures"] = [{"index": "mcp-logs-2026.03.14", "reason": {"reason": "because"}}]
    with pytest.raises(DeliveryError, match=r"could not search mcp-logs-2026\.03\.14: because"):
        await destination.query()
