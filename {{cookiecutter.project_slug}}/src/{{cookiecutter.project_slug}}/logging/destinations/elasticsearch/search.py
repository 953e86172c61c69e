"""Search the daily indices in Elasticsearch."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...entry import LogEntry, iso_utc
from ...errors import DeliveryError
from ...json_safe import scalars
from ...query import TEXT_FIELDS, LogQuery
from ..driver import translated_errors
from .errors import translate_unexpected_reply
from .schema import ARGUMENT_VALUES, day_of, index_pattern

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

PAGE_SIZE = 1_000  # maximum hits per request
MAX_PATTERN = 100
"""Maximum characters of a text or an id that the cluster searches for: Lucene rejects longer ones with repetitions."""
_ID_FIELDS = ("entry_id", "correlation_id")
_SEARCHED = (*(f"{name}.lower" for name in TEXT_FIELDS), ARGUMENT_VALUES)
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2262, 4, 11, tzinfo=UTC)
_NEWEST_FIRST: list[dict[str, dict[str, str]]] = [
    {"timestamp": {"order": "desc", "unmapped_type": "date_nanos", "numeric_type": "date_nanos"}},
    {"_seq_no": {"order": "desc"}},  # within one timestamp, the entry indexed last; each index has one shard
]
_SLOWEST_FIRST = [
    {"duration_ms": {"order": "desc", "unmapped_type": "double", "numeric_type": "double"}},
    *_NEWEST_FIRST,
]


async def search(client: AsyncElasticsearch, query: LogQuery, prefix: str) -> list[LogEntry]:
    """Return the matching entries in the order of the query, including those just written."""
    await refresh(client, index_pattern(prefix))
    found, skip, after = list[LogEntry](), query.offset, None
    size = min(PAGE_SIZE, query.offset + query.limit)
    while len(found) < query.limit:
        reply = await client.search(**search_request(query, prefix, size=size, after=after))
        with translated_errors(translate_unexpected_reply):
            check_shards(reply["_shards"].get("failures", ()), prefix)
            hits = reply["hits"]["hits"]
            matches = [entry for hit in hits if (entry := entry_of(hit, query, prefix))]
        found += matches[skip:]
        skip = max(0, skip - len(matches))
        if len(hits) < size:
            break
        after = hits[-1]["sort"]
    return found[: query.limit]


async def refresh(client: AsyncElasticsearch, indices: str) -> None:
    """Let searches find the entries just written; without the permission (403), they miss those of the last second."""
    await client.options(ignore_status=403).indices.refresh(index=indices, ignore_unavailable=True)


def search_request(query: LogQuery, prefix: str, *, size: int, after: list[Any] | None) -> dict[str, Any]:
    """Return the arguments of one `search`; it may find more than `query` wants.

    `after` is the sort value of the previous page's last hit: `from` would end at 10,000.
    """
    request: dict[str, Any] = {
        "index": index_pattern(prefix),
        "ignore_unavailable": True,
        "track_total_hits": False,
        "query": {"bool": {"filter": list(conditions(query))}},
        "sort": _SLOWEST_FIRST if query.slowest else _NEWEST_FIRST,
        "size": size,
    }
    return request if after is None else {**request, "search_after": after}


def entry_of(hit: Mapping[str, Any], query: LogQuery, prefix: str) -> LogEntry | None:
    """Return the entry of a hit, or None if it is a foreign document or does not match a long text or id."""
    source = hit["_source"]
    if day_of(hit["_index"], prefix) is None or "entry_id" not in source:
        return None
    if not _has_text(source, query.text) or not _has_id(source, query.any_id):
        return None
    try:
        return LogEntry.from_dict(source)
    except ValueError:
        return None


def check_shards(failures: Iterable[Mapping[str, Any]], prefix: str) -> None:
    """Raise DeliveryError if a daily index could not be searched: a partial result would look complete."""
    for failure in failures:
        if day_of(failure["index"] or "", prefix) is not None:
            msg = f"Elasticsearch could not search {failure['index']}: {failure['reason'].get('reason')}"
            raise DeliveryError(msg)


def conditions(query: LogQuery) -> Iterator[dict[str, Any]]:
    """Yield the clauses of a query, which all must match."""
    for name, value in query.equals.items():
        yield {"term": {name: value}}
    if query.any_id is not None:
        yield _any_of(clause for name in _ID_FIELDS for clause in _id_clauses(name, query.any_id))
    if query.level:
        yield {"terms": {"level": list(query.level)}}
    if query.slowest:
        yield {"exists": {"field": "duration_ms"}}
    if query.min_duration_ms is not None:
        yield {"range": {"duration_ms": {"gte": query.min_duration_ms}}}
    for comparison, moment in (("gte", query.since), ("lt", query.until)):
        if moment is not None:
            yield {"range": {"timestamp": {comparison: iso_utc(min(max(moment, _EARLIEST), _LATEST))}}}
    if query.text is not None:
        yield _any_of(clause for name in _SEARCHED for clause in _text_clauses(name, query.text))


def _has_text(source: Mapping[str, Any], wanted: str | None) -> bool:
    if wanted is None:
        return True
    texts = [*(source.get(name, "") for name in TEXT_FIELDS), *scalars(source.get("input_args"))]
    return any(wanted.casefold() in str(text).casefold() for text in texts)


def _has_id(source: Mapping[str, Any], text: str | None) -> bool:
    ids = [str(source.get(name, "")) for name in _ID_FIELDS]
    return text is None or any(value.startswith(text) or value.endswith(text) for value in ids)


def _any_of(clauses: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": list(clauses)}}


def _id_clauses(name: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield a clause for values that begin like a text, and one for values that end like it."""
    yield {"prefix": {name: {"value": text[:MAX_PATTERN]}}}
    yield {"wildcard": {name: {"value": f"*{_escaped(text[-MAX_PATTERN:])}"}}}


def _text_clauses(name: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield a clause that finds the beginning of a text in a field, and one for values too long to be indexed."""
    yield {"wildcard": {name: {"value": f"*{_escaped(text[:MAX_PATTERN])}*"}}}
    yield {"term": {"_ignored": name}}


def _escaped(text: str) -> str:
    """Return a text as a pattern that matches only it."""
    return re.sub(r"([\\*?])", r"\\\1", text)
