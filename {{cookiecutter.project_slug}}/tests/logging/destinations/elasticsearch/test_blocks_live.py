"""What blocks a real cluster for a while: entries wait, none is rejected, and all arrive when the block ends."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from helpers import eventually, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import BufferedDestination, RetryWrapper
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import ElasticsearchDestination
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.schema import daily_index

from . import elasticsearch_helpers
from .elasticsearch_helpers import DAY, Cluster, entries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

cluster, destination_for = elasticsearch_helpers.cluster, elasticsearch_helpers.destination_for
destination = elasticsearch_helpers.destination


@asynccontextmanager
async def blocked(cluster: Cluster, path: str, setting: str, value: object) -> AsyncIterator[None]:
    """Change a setting of an index or of the cluster for a while."""

    def body(content: object) -> dict[str, Any]:
        return {"persistent": {setting: content}} if path == "/_cluster/settings" else {setting: content}

    reply = await cluster.request("PUT", path, body(value))
    assert "error" not in reply, reply
    try:
        yield
    finally:
        await cluster.request("PUT", path, body(None))


@pytest.mark.integration
@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("index.blocks.write", True),
        ("index.blocks.read_only", True),
        ("index.blocks.read_only_allow_delete", True),
        ("index.default_pipeline", "missing"),
        ("cluster.blocks.read_only", True),
        ("cluster.blocks.read_only_allow_delete", True),
    ],
)
async def test_entries_wait_until_a_block_ends(
    cluster: Cluster, destination: ElasticsearchDestination, setting: str, value: object
) -> None:
    """Such as that of the disk watermark, which answers 429, or of an administrator, which answers 403."""
    index = daily_index(cluster.prefix, DAY.date())
    path = "/_cluster/settings" if setting.startswith("cluster.") else f"/{index}/_settings"
    await destination.write_batch(entries(1))
    buffer = BufferedDestination(RetryWrapper(destination))
    await buffer.open()
    async with blocked(cluster, path, setting, value):
        for entry in entries(500):
            buffer.put(entry)
        assert not await buffer.flush()
        assert (buffer.counters.written, buffer.counters.queued) == (0, 500)
    await eventually(lambda: buffer.counters.written == 500)
    await buffer.close()
    assert (buffer.counters.failed, buffer.counters.dropped) == (0, 0)
    assert await cluster.count() == 501


@pytest.mark.integration
@pytest.mark.parametrize(
    ("setting", "value"), [("cluster.max_shards_per_node", 1), ("action.auto_create_index", "false")]
)
async def test_entries_wait_until_their_index_can_be_created(
    cluster: Cluster, destination: ElasticsearchDestination, setting: str, value: object
) -> None:
    """Those for an existing index arrive meanwhile, even if they are newer."""
    await destination.write(make_entry())
    buffer = BufferedDestination(RetryWrapper(destination))
    await buffer.open()
    async with blocked(cluster, "/_cluster/settings", setting, value):
        for entry in entries(100):
            buffer.put(entry)
        assert not await buffer.flush()
        for number in range(100):
            buffer.put(make_entry(str(number)))
        await eventually(lambda: buffer.counters.written == 100)
        assert buffer.counters.queued == 100
    await eventually(lambda: buffer.counters.written == 200)
    await buffer.close()
    assert (buffer.counters.failed, buffer.counters.dropped) == (0, 0)
