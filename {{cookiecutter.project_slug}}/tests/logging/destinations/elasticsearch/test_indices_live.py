"""Read and write a real cluster to which servers of the first schema have written."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import ElasticsearchDestination
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.schema import (
    ADDED_FIELDS,
    ARGUMENT_VALUES,
    TEMPLATE_VERSION,
    daily_index,
)
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES

from . import elasticsearch_helpers
from .elasticsearch_helpers import DAY, SCHEMA_1, Cluster

cluster, destination_for = elasticsearch_helpers.cluster, elasticsearch_helpers.destination_for
destination = elasticsearch_helpers.destination


async def put_template(cluster: Cluster, **changes: Any) -> None:
    """Create the template of the first schema for the test's indices."""
    template = {**SCHEMA_1, "index_patterns": [f"{cluster.prefix}-*"], **changes}
    assert await cluster.request("PUT", f"/_index_template/{cluster.prefix}", template) == {"acknowledged": True}


async def get_template(cluster: Cluster) -> dict[str, Any]:
    """Return the template of the test's indices."""
    reply = await cluster.request("GET", f"/_index_template/{cluster.prefix}")
    template: dict[str, Any] = reply["index_templates"][0]["index_template"]
    return template


async def put_document(cluster: Cluster, entry: LogEntry) -> None:
    """Store an entry as a server of the first schema does."""
    document = {name: value for name, value in entry.to_dict().items() if value is not None}
    index = daily_index(cluster.prefix, entry.timestamp.date())
    reply = await cluster.request("PUT", f"/{index}/_create/{entry.entry_id}", document)
    assert reply["result"] == "created"


@pytest.mark.integration
async def test_a_store_of_the_first_schema_is_read_and_written_on(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """New fields are indexed in the index of that day and in new ones; searches just do not find them in older ones."""
    await put_template(cluster)
    call = {"log_type": "tool_execution", "tool_name": "divide", "error_type": "ZeroDivisionError", "duration_ms": 2.0}
    older, old = (make_entry(timestamp=DAY - timedelta(days=days), **call) for days in (1, 0))
    for entry in (older, old):
        await put_document(cluster, entry)
    more = {"traceback": "in divide", "target": "divide", "method": "tools/call", "input_size": 9, "output_size": 5}
    new, newer = (make_entry(timestamp=DAY + timedelta(days=days, seconds=1), **call, **more) for days in (0, 1))
    await destination.write_batch([new, newer])
    assert await destination.query() == [newer, new, old, older]
    assert await destination.query(error_type="ZeroDivisionError") == [newer, new, old, older]
    assert await destination.query(slowest=True, min_duration_ms=1) == [newer, new, old, older]
    assert await destination.query(method="tools/call") == [newer, new]
    for text in ("IN DIVIDE", "zerodiv"):
        assert await destination.query(text=text) == [newer, new]
        assert await destination.query(text=text, until=DAY) == []
    (group,) = (await destination.stats()).groups
    assert (group.calls, group.output_size) == (4, 5)


@pytest.mark.integration
async def test_all_indices_but_those_not_written_to_get_the_new_fields(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """The template gets them, too, and its new version."""
    await put_template(cluster)
    days = [DAY + timedelta(days=days) for days in range(3)]
    for day in days[:2]:
        await put_document(cluster, make_entry(timestamp=day))
    await destination.write_batch([make_entry(timestamp=day) for day in days[1:]])
    mappings = await cluster.request("GET", f"/{cluster.prefix}-*/_mapping")
    fields = [mappings[index]["mappings"]["properties"] for index in await cluster.indices()]
    assert [set(FIELD_NAMES) - set(names) for names in fields] == [
        ADDED_FIELDS.keys() - {"error_type", ARGUMENT_VALUES},
        set(),
        set(),
    ]
    assert fields[1] == fields[2]
    assert (await get_template(cluster))["version"] == TEMPLATE_VERSION


@pytest.mark.integration
async def test_the_template_keeps_what_an_administrator_changed(
    cluster: Cluster, destination: ElasticsearchDestination
) -> None:
    """Only the version and the mapping of the new fields differ."""
    old = SCHEMA_1["template"]["mappings"]["properties"]
    mappings = {"dynamic": "strict", "properties": {**old, "hostname": {"type": "text"}}}
    settings = {"number_of_shards": 2, "refresh_interval": "30s"}
    alias = f"{cluster.prefix}-all"
    await put_template(
        cluster,
        priority=900,
        _meta={"owner": "ops"},
        template={"settings": settings, "mappings": mappings, "aliases": {alias: {}}},
    )
    before = await get_template(cluster)
    await destination.write(make_entry(timestamp=DAY))
    after = await get_template(cluster)
    assert after["template"]["mappings"]["properties"].keys() == {*FIELD_NAMES, ARGUMENT_VALUES}
    assert await cluster.indices() == [daily_index(cluster.prefix, DAY.date())]
    for template in (before, after):
        del template["version"]
        template.pop("modified_date_millis", None)
        for name in ADDED_FIELDS:
            template["template"]["mappings"]["properties"].pop(name, None)
    assert after == before
