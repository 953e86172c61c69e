"""Search the daily indices in Elasticsearch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...entry import LogEntry, iso_utc
from ...errors import DeliveryError
from ...query import TEXT_FIELDS, LogQuery
from ..driver import translated_errors
from .errors import translate_unexpected_reply
from .schema import day_of, index_pattern

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

PAGE_SIZE = 1_000  # maximum hits per request
MAX_PATTERN = 100
"""Maximum characters of a text that the cluster searches for: Lucene rejects longer patterns with repetitions."""
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2262, 4, 11, tzinfo=UTC)


async def search(client: AsyncElasticsearch, query: LogQuery, prefix: str) -> list[LogEntry]:
    """Return the matching entries, newest first, including those just written."""
    # Without the permission to refresh (403), a search misses entries of the last second.
    await client.options(ignore_status=403).indices.refresh(index=index_pattern(prefix), ignore_unavailable=True)
    found, skip, after = list[LogEntry](), query.offset, None
    size = min(PAGE_SIZE, query.offset + query.limit)
    while len(found) < query.limit:
        reply = await client.search(**search_request(query, prefix, size=size, after=after))
        with translated_errors(translate_unexpected_reply):
            _check_shards(reply["_shards"].get("failures", ()), prefix)
            hits = reply["hits"]["hits"]
            matches = [entry for hit in hits if (entry := entry_of(hit, query, prefix))]
        found += matches[skip:]
        skip = max(0, skip - len(matches))
        if len(hits) < size:
            break
        after = hits[-1]["sort"]
    return found[: query.limit]


def search_request(query: LogQuery, prefix: str, *, size: int, after: list[Any] | None) -> dict[str, Any]:
    """Return the arguments of one `search`, newest first; it may find more than `query` wants.

    `after` is the sort value of the previous page's last hit: `from` would end at 10,000. Within one timestamp, the
    entry indexed last comes first (`_seq_no`, since each index has one shard).
    """
    newest_first = {"order": "desc", "unmapped_type": "date_nanos", "numeric_type": "date_nanos"}
    request: dict[str, Any] = {
        "index": index_pattern(prefix),
        "ignore_unavailable": True,
        "track_total_hits": False,
        "query": {"bool": {"filter": list(_conditions(query))}},
        "sort": [{"timestamp": newest_first}, {"_seq_no": {"order": "desc"}}],
        "size": size,
    }
    return request if after is None else {**request, "search_after": after}


def entry_of(hit: Mapping[str, Any], query: LogQuery, prefix: str) -> LogEntry | None:
    """Return the entry of a hit, or None if it is a foreign document or lacks the searched text."""
    source = hit["_source"]
    if day_of(hit["_index"], prefix) is None or "entry_id" not in source or not _contains(source, query.text):
        return None
    try:
        return LogEntry.from_dict(source)
    except ValueError:
        return None


def _contains(source: Mapping[str, Any], text: str | None) -> bool:
    return text is None or any(text.casefold() in str(source.get(name, "")).casefold() for name in TEXT_FIELDS)


def _check_shards(failures: Iterable[Mapping[str, Any]], prefix: str) -> None:
    """Raise DeliveryError if a daily index could not be searched: a partial result would look complete."""
    for failure in failures:
        if day_of(failure["index"] or "", prefix) is not None:
            msg = f"Elasticsearch could not search {failure['index']}: {failure['reason'].get('reason')}"
            raise DeliveryError(msg)


def _conditions(query: LogQuery) -> Iterator[dict[str, Any]]:
    for name, value in query.equals.items():
        yield {"term": {name: value}}
    if query.level:
        yield {"terms": {"level": list(query.level)}}
    for comparison, moment in (("gte", query.since), ("lt", query.until)):
        if moment is not None:
            yield {"range": {"timestamp": {comparison: iso_utc(min(max(moment, _EARLIEST), _LATEST))}}}
    if query.text is not None:
        yield {"bool": {"should": [clause for name in TEXT_FIELDS for clause in _text_clauses(name, query.text)]}}


def _text_clauses(name: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield a clause that finds the beginning of a text in a field, and one for values too long to be indexed."""
    pattern = re.sub(r"([\\*?])", r"\\\1", text[:MAX_PATTERN])
    yield {"wildcard": {f"{name}.lower": {"value": f"*{pattern}*"}}}
    yield {"term": {"_ignored": f"{name}.lower"}}
