"""Statistics of tool calls are computed by Elasticsearch."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import ElasticsearchDestination, stats
from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch.schema import daily_index
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError
from {{cookiecutter.project_slug}}.logging.stats import GROUPS, Group, GroupStats, stats_of

from . import elasticsearch_helpers
from .elasticsearch_helpers import DAY, Cluster, Stub

stub = elasticsearch_helpers.stub
cluster, destination_for = elasticsearch_helpers.cluster, elasticsearch_helpers.destination_for
destination = elasticsearch_helpers.destination

STATUSES = ("success", "error", "cancelled", "validation_error", "unknown_tool", "input_required", None)
CALLS = [
    make_entry(
        f"call {number}",
        timestamp=DAY + timedelta(minutes=37 * number),
        log_type="tool_execution",
        tool_name=("add", "Add", None)[number % 3],
        client_name=("claude", None)[number % 2],
        principal=f"user {number % 5}",
        status=STATUSES[number % 7],
        error_type="ValueError" if number % 7 == 1 else None,
        duration_ms=None if number % 11 == 0 else number * 1.5,
        output_size=number if number % 4 else None,
    )
    for number in range(100)
]
LINES = [make_entry(timestamp=DAY, duration_ms=9e9, log_type=log_type) for log_type in ("internal", "framework")]


def without_percentiles(groups: list[GroupStats]) -> list[GroupStats]:
    """Return the groups with what is exact."""
    return [replace(group, p50_ms=None, p95_ms=None, p99_ms=None, output_p95=None) for group in groups]


@pytest.mark.integration
async def test_statistics_are_those_of_all_tool_calls(cluster: Cluster, destination: ElasticsearchDestination) -> None:
    """By every group, also those without a name; entries that are no calls do not count."""
    await destination.write_batch([*CALLS, *LINES])
    for by in GROUPS:
        found = await destination.stats(by=by)
        assert found.is_complete
        assert without_percentiles(found.groups) == without_percentiles(stats_of(CALLS, by=by)), by


@pytest.mark.integration
async def test_statistics_respect_the_filters(cluster: Cluster, destination: ElasticsearchDestination) -> None:
    """All filters of a query; the limit and the offset do not matter."""
    await destination.write_batch([*CALLS, *LINES])
    until = DAY + timedelta(hours=9)
    expected = [call for call in CALLS if call.timestamp < until and call.tool_name == "add"]
    found = await destination.stats(by="day", tool_name="add", until=until, limit=1, offset=1)
    assert without_percentiles(found.groups) == without_percentiles(stats_of(expected, by="day"))
    slow = await destination.stats(min_duration_ms=100, text="CALL 9", slowest=True)
    assert sum(group.calls for group in slow.groups) == len([call for call in CALLS[90:] if call.duration_ms])


@pytest.mark.integration
async def test_percentiles_are_close(cluster: Cluster, destination: ElasticsearchDestination) -> None:
    """They are estimates: of 5,000 calls, within one percent."""
    calls = [
        make_entry(timestamp=DAY, log_type="tool_execution", duration_ms=float(n), output_size=n)
        for n in range(1, 5_001)
    ]
    for start in range(0, len(calls), 500):
        await destination.write_batch(calls[start : start + 500])
    ((found,), (exact,)) = (await destination.stats()).groups, stats_of(calls, by="tool")
    assert (found.p50_ms, found.p95_ms, found.p99_ms) == pytest.approx((exact.p50_ms, exact.p95_ms, exact.p99_ms), 0.01)
    assert found.output_p95 == pytest.approx(exact.output_p95, 0.01)


@pytest.mark.integration
@pytest.mark.parametrize(("by", "size"), [("tool", 2), ("tool", 3), ("day", 1), ("hour", 25)])
async def test_any_number_of_groups_is_returned(
    cluster: Cluster, destination: ElasticsearchDestination, monkeypatch: pytest.MonkeyPatch, by: Group, size: int
) -> None:
    """More than fit into one reply, and exactly as many."""
    monkeypatch.setattr(stats, "PAGE_SIZE", size)
    await destination.write_batch(CALLS)
    found = (await destination.stats(by=by)).groups
    assert without_percentiles(found) == without_percentiles(stats_of(CALLS, by=by))


@pytest.mark.integration
async def test_statistics_ignore_foreign_documents(
    cluster: Cluster, destination: ElasticsearchDestination, destination_for: Any
) -> None:
    """Those of a longer prefix, of indices with other types and without an id; alone, they form no groups."""
    other = {"entry_id": "1", "log_type": "tool_execution", "duration_ms": "long", "output_size": "much"}
    await cluster.request("PUT", f"/{cluster.prefix}-2020.1.1/_doc/1?refresh=true", other)
    assert (await destination.stats()).groups == []
    await destination_for(cluster.url, elasticsearch_index_prefix=f"{cluster.prefix}-more").write(CALLS[1])
    assert (await destination.stats()).groups == []
    await destination.write(CALLS[2])
    foreign = {"log_type": "tool_execution", "timestamp": DAY.isoformat()}
    await cluster.request("PUT", f"/{daily_index(cluster.prefix, DAY.date())}/_doc/1", foreign)
    (group,) = (await destination.stats()).groups
    assert group.calls == 1


async def test_statistics_fail_if_a_daily_index_cannot_be_searched(stub: Stub, destination_for: Any) -> None:
    """They would be too low; a failure of a foreign index that happens to match the pattern is ignored."""
    reply: dict[str, Any] = {"aggregations": {"groups": {"buckets": []}}, "_shards": {"failed": 1}}
    stub.replies["POST /mcp-logs-*.*.*/_field_caps"] = 200, {"indices": ["mcp-logs-2026.03.14"]}
    stub.replies["POST /mcp-logs-*.*.*/_search"] = 200, reply
    destination = destination_for(stub.url)
    reply["_shards"]["failures"] = [{"index": "mcp-logs-more-2026.03.14", "reason": {"reason": "because"}}]
    assert (await destination.stats()).groups == []
    reply["_shards"]["failures"] = [{"index": "mcp-logs-2026.03.14", "reason": {"reason": "because"}}]
    with pytest.raises(DeliveryError, match=r"could not search mcp-logs-2026\.03\.14: because"):
        await destination.stats()
