"""Statistics of tool calls, aggregated by Elasticsearch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...entry import SUCCESSES
from ...query import LogQuery
from ...stats import GROUP_FIELDS, PERCENTILES, CallStats, Group, GroupStats, by_calls
from ..driver import translated_errors
from .errors import translate_unexpected_reply
from .schema import day_of, index_pattern
from .search import check_shards, conditions, refresh

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

PAGE_SIZE = 10_000  # maximum groups per request
_PERIODS: dict[Group, dict[str, str]] = {
    "day": {"calendar_interval": "day", "format": "yyyy-MM-dd"},
    "hour": {"calendar_interval": "hour", "format": "yyyy-MM-dd'T'HH"},
}
_MEASURES: dict[str, dict[str, Any]] = {
    "failures": {"filter": {"bool": {"must_not": {"terms": {"status": SUCCESSES}}}}},
    "durations": {"percentiles": {"field": "duration_ms", "percents": PERCENTILES}},
    "longest": {"max": {"field": "duration_ms"}},
    "output_size": {"avg": {"field": "output_size"}},
}


async def call_stats(client: AsyncElasticsearch, query: LogQuery, prefix: str, *, by: Group) -> CallStats:
    """Return the statistics of the matching entries, including those just written."""
    await refresh(client, prefix)
    groups, after = list[GroupStats](), None
    if not (indices := await _daily_indices(client, prefix)):
        return CallStats(groups=groups)
    while True:
        reply = await client.search(**stats_request(query, prefix, indices, by=by, after=after))
        with translated_errors(translate_unexpected_reply):
            check_shards(reply["_shards"].get("failures", ()), prefix)
            page = reply["aggregations"]["groups"]
            groups += [_group_stats(bucket) for bucket in page["buckets"]]
            if len(page["buckets"]) < PAGE_SIZE:
                return CallStats(groups=by_calls(groups))
            after = page["after_key"]


def stats_request(
    query: LogQuery, prefix: str, indices: Sequence[str], *, by: Group, after: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the arguments of one `search` in `indices`; `after` is the last group of the previous page."""
    ours = [{"terms": {"_index": indices}}, {"exists": {"field": "entry_id"}}]
    groups: dict[str, Any] = {"size": PAGE_SIZE, "sources": [{"group": _group_source(by)}]}
    if after is not None:
        groups["after"] = after
    return {
        "index": index_pattern(prefix),
        "ignore_unavailable": True,
        "track_total_hits": False,
        "query": {"bool": {"filter": [*ours, *conditions(query)]}},
        "size": 0,
        "aggregations": {"groups": {"composite": groups, "aggregations": _MEASURES}},
    }


async def _daily_indices(client: AsyncElasticsearch, prefix: str) -> list[str]:
    """Return the names of the daily indices; `field_caps` needs no permission that a search does not need."""
    reply = await client.field_caps(index=index_pattern(prefix), fields="entry_id", ignore_unavailable=True)
    with translated_errors(translate_unexpected_reply):
        return [index for index in reply["indices"] if day_of(index, prefix) is not None]


def _group_source(by: Group) -> dict[str, Any]:
    """Return the source of the group names; entries without a value form a group too."""
    if by in _PERIODS:
        return {"date_histogram": {"field": "timestamp", "missing_bucket": True, **_PERIODS[by]}}
    return {"terms": {"field": GROUP_FIELDS[by], "missing_bucket": True}}


def _group_stats(bucket: Mapping[str, Any]) -> GroupStats:
    percentiles = {f"p{percent}_ms": bucket["durations"]["values"][f"{percent:.1f}"] for percent in PERCENTILES}
    return GroupStats(
        group=bucket["key"]["group"],
        calls=bucket["doc_count"],
        failures=bucket["failures"]["doc_count"],
        max_ms=bucket["longest"]["value"],
        output_size=bucket["output_size"]["value"],
        **percentiles,
    )
