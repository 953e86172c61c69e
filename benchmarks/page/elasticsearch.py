"""Documents in Elasticsearch, and the bare searches."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from benchmarks.stack import with_retries

from .data import DAYS, entries
from .questions import BUCKETS, ROWS, Condition, Question
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench_server.logging.entry import LogEntry

COUNT = 200_000
BATCH = 2_000
HOST = os.environ["TEST_ELASTICSEARCH_HOSTS"].split(",")[0]
PREFIX = "bench-page"
FAILURES = {"failures": {"filter": {"bool": {"must_not": {"term": {"status": "success"}}}}}}
STATS = {
    **FAILURES,
    "durations": {"percentiles": {"field": "duration_ms", "percents": [50, 95, 99]}},
    "longest": {"max": {"field": "duration_ms"}},
    "sizes": {"stats": {"field": "output_size"}},
    "large": {"percentiles": {"field": "output_size", "percents": [95]}},
}


@contextmanager
def stored(folder: Path) -> Iterator[Store]:  # noqa: ARG001 - as the other stores have it
    """Fill the daily indices; yield them as a store."""
    entry = asyncio.run(_fill())
    connection = HTTPConnection(urlsplit(HOST).netloc, timeout=600)

    def answer(question: Question) -> int:
        body = json.dumps(_search(question))
        connection.request("POST", f"/{PREFIX}-*/_search", body, {"Content-Type": "application/json"})
        reply = connection.getresponse().read()
        connection.close()
        return len(json.loads(reply)["hits"]["hits"])

    settings = {"ELASTICSEARCH_HOSTS": HOST, "ELASTICSEARCH_INDEX_PREFIX": PREFIX}
    ids = (entry.entry_id, entry.correlation_id)
    yield Store(name="elasticsearch", count=COUNT, settings=settings, ids=ids, answer=answer)


async def _fill() -> LogEntry:
    """Write the entries; return one of them."""
    destination = with_retries("elasticsearch", elasticsearch_hosts=[HOST], elasticsearch_index_prefix=PREFIX)
    await destination.open()
    source = entries(COUNT)
    while batch := list(islice(source, BATCH)):
        entry = batch[0]
        await destination.write_batch(batch)
    await destination.query(limit=1)  # refreshes the indices
    await destination.close()
    return entry


def _search(question: Question) -> dict[str, Any]:
    conditions = [_clause(condition) for condition in question.conditions]
    if text := question.any_id:
        names, ends = ("entry_id", "correlation_id"), (f"{text}*", f"*{text}")
        alternatives = [{"wildcard": {name: end}} for name in names for end in ends]
        conditions.append({"bool": {"should": alternatives}})
    search: dict[str, Any] = {"query": {"bool": {"filter": conditions}}, "track_total_hits": False, "size": 0}
    if question.kind == "stats":
        return {**search, "aggs": {"tools": {"terms": {"field": "tool_name", "size": 1_000}, "aggs": STATS}}}
    if question.kind == "histogram":
        hours = 24 if len(question.conditions) > 1 else 24 * DAYS
        interval = f"{hours * 60 // BUCKETS}m"
        histogram = {"date_histogram": {"field": "timestamp", "fixed_interval": interval}, "aggs": FAILURES}
        return {**search, "aggs": {"times": histogram}}
    return {**search, "size": ROWS, "sort": [{"timestamp": "desc"}]}


def _clause(condition: Condition) -> dict[str, Any]:
    if condition.comparison == "=":
        return {"term": {condition.field: condition.value}}
    comparison = {">=": "gte", "<": "lt"}[condition.comparison]
    return {"range": {condition.field: {comparison: condition.value}}}
