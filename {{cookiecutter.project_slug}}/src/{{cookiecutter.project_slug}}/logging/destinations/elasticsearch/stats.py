"""Statistics of tool calls, aggregated by Elasticsearch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING, Any

from ...contents import Contents
from ...entry import SUCCESSES, iso_utc
from ...histogram import EPOCH, Histogram, Period, filled
from ...query import LogQuery
from ...stats import GROUP_FIELDS, OUTPUT_PERCENTILE, PERCENTILES, CallStats, Group, GroupStats, by_calls
from ..driver import translated_errors
from .errors import translate_unexpected_reply
from .schema import day_of, index_pattern
from .search import check_shards, conditions, refresh

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

PAGE_SIZE = 10_000  # maximum groups per request
_MILLISECOND = timedelta(milliseconds=1)
"""The unit of times in aggregations."""
_PERIODS: dict[Group, dict[str, str]] = {
    "day": {"calendar_interval": "day", "format": "yyyy-MM-dd"},
    "hour": {"calendar_interval": "hour", "format": "yyyy-MM-dd'T'HH"},
}
_MEASURES: dict[str, dict[str, Any]] = {
    "failures": {"filter": {"bool": {"must_not": {"terms": {"status": SUCCESSES}}}}},
    "durations": {"percentiles": {"field": "duration_ms", "percents": PERCENTILES}},
    "longest": {"max": {"field": "duration_ms"}},
    "sizes": {"stats": {"field": "output_size"}},
    "large": {"percentiles": {"field": "output_size", "percents": [OUTPUT_PERCENTILE]}},
}


async def call_stats(client: AsyncElasticsearch, query: LogQuery, prefix: str, *, by: Group) -> CallStats:
    """Return the statistics of the matching entries, including those just written."""
    await refresh(client, index_pattern(prefix))
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


async def call_histogram(client: AsyncElasticsearch, query: LogQuery, prefix: str, period: Period) -> Histogram:
    """Return the matching entries of a period over time, including those just written."""
    await refresh(client, index_pattern(prefix))
    if not (indices := await _daily_indices(client, prefix)):
        return filled((), period)
    interval = _interval(period)
    reply = await client.search(**_histogram_request(query, prefix, indices, period, interval))
    with translated_errors(translate_unexpected_reply):
        check_shards(reply["_shards"].get("failures", ()), prefix)
        buckets = reply["aggregations"]["buckets"]["buckets"]
        starts = period.edges if interval is None else [EPOCH + each["key"] * _MILLISECOND for each in buckets]
        rows = [
            (period.bucket_of(start), each["doc_count"], each["failures"]["doc_count"])
            for start, each in zip(starts, buckets, strict=False)  # there is an edge more than there are buckets
            if start < period.until
        ]
    return filled(rows, period)


def _histogram_request(
    query: LogQuery, prefix: str, indices: Sequence[str], period: Period, interval: timedelta | None
) -> dict[str, Any]:
    """Return the arguments of the one `search` in `indices` that counts the entries in each bucket."""
    buckets: dict[str, Any]
    if interval is None:
        ranges = [{"from": start, "to": end} for start, end in pairwise(map(iso_utc, period.edges))]
        buckets = {"date_range": {"field": "timestamp", "ranges": ranges}}
    else:
        # Elasticsearch leaves out a lower bound that all entries of an index fulfil, and its date_histogram of
        # nanoseconds fails if only an upper bound is left. So there is none, and later buckets are left out above.
        query = query.model_copy(update={"until": None})
        length = f"{interval // _MILLISECOND}ms"
        buckets = {"date_histogram": {"field": "timestamp", "fixed_interval": length, "min_doc_count": 1}}
    buckets["aggregations"] = {"failures": _MEASURES["failures"]}
    return {**_request(query, prefix, indices), "aggregations": {"buckets": buckets}}


def _interval(period: Period) -> timedelta | None:
    """Return the length of the buckets if they begin at its multiples, and the period ends in the future.

    Elasticsearch counts these two to four times as fast as other ranges.
    """
    length = (period.until - period.since) / period.buckets
    is_whole = length >= _MILLISECOND and not length % _MILLISECOND
    if not is_whole or (period.since - EPOCH) % length or period.since + period.buckets * length != period.until:
        return None
    return length if period.until >= datetime.now(UTC) else None


async def oldest_entry(client: AsyncElasticsearch, prefix: str) -> datetime | None:
    """Return the time of the oldest entry, rounded down to milliseconds: it is in the index of the first day."""
    for index in sorted(await _daily_indices(client, prefix)):
        await refresh(client, index)
        request = {**_request(LogQuery(), prefix, [index]), "index": index}
        reply = await client.search(**request, aggregations={"min": {"min": {"field": "timestamp"}}})
        with translated_errors(translate_unexpected_reply):
            check_shards(reply["_shards"].get("failures", ()), prefix)
            if (milliseconds := reply["aggregations"]["min"]["value"]) is not None:  # the index has entries
                return _moment(floor(milliseconds))
    return None


async def index_contents(client: AsyncElasticsearch, prefix: str) -> Contents:
    """Return what is in the daily indices, including the entries just written."""
    await refresh(client, index_pattern(prefix))
    if not (indices := await _daily_indices(client, prefix)):
        return Contents(entries=0)
    request = _request(LogQuery(), prefix, indices)
    ends = {name: {name: {"field": "timestamp"}} for name in ("min", "max")}
    reply = await client.search(**{**request, "track_total_hits": True, "aggregations": ends})
    sizes = await client.options(ignore_status=403).indices.stats(index=indices, metric="store")
    with translated_errors(translate_unexpected_reply):
        check_shards(reply["_shards"].get("failures", ()), prefix)
        oldest, newest = (reply["aggregations"][name]["value"] for name in ("min", "max"))
        return Contents(
            entries=reply["hits"]["total"]["value"],
            oldest=_moment(oldest),
            newest=_moment(newest),
            size_bytes=sizes["_all"]["primaries"]["store"]["size_in_bytes"] if "_all" in sizes else None,
        )


def _moment(milliseconds: float | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1_000, UTC)


def stats_request(
    query: LogQuery, prefix: str, indices: Sequence[str], *, by: Group, after: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the arguments of one `search` in `indices`; `after` is the last group of the previous page."""
    groups: dict[str, Any] = {"size": PAGE_SIZE, "sources": [{"group": _group_source(by)}]}
    if after is not None:
        groups["after"] = after
    return {
        **_request(query, prefix, indices),
        "aggregations": {"groups": {"composite": groups, "aggregations": _MEASURES}},
    }


def _request(query: LogQuery, prefix: str, indices: Sequence[str]) -> dict[str, Any]:
    """Return the arguments of a `search` for aggregations of the entries of a query."""
    ours = [{"terms": {"_index": indices}}, {"exists": {"field": "entry_id"}}]
    return {
        "index": index_pattern(prefix),
        "ignore_unavailable": True,
        "track_total_hits": False,
        "query": {"bool": {"filter": [*ours, *conditions(query)]}},
        "size": 0,
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
    sizes = bucket["sizes"]
    return GroupStats(
        group=bucket["key"]["group"],
        calls=bucket["doc_count"],
        failures=bucket["failures"]["doc_count"],
        max_ms=bucket["longest"]["value"],
        output_size=sizes["avg"],
        output_p95=bucket["large"]["values"][f"{OUTPUT_PERCENTILE:.1f}"],
        output_total=int(sizes["sum"]) if sizes["count"] else None,
        **percentiles,
    )
