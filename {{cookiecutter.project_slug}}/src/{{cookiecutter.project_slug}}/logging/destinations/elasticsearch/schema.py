"""The daily indices in Elasticsearch: their names, their template, and how to search them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...entry import FIELD_NAMES, iso_utc
from ...errors import SettingError
from ...query import TEXT_FIELDS
from ..base import LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ...query import LogQuery

TEMPLATE_VERSION = 1
IGNORE_ABOVE = 8_191
"""Characters of a keyword that is still indexed: a term holds 32,766 bytes, a character up to four."""
MAX_PATTERN = 100
"""Characters of a searched text the cluster looks for: Lucene refuses longer patterns that repeat themselves."""
PRIORITY = 500
"""Above the templates a cluster brings along; the prefix's length is added, so that the more specific one wins."""
MAX_PREFIX = 244
"""An index name has 255 bytes at most, eleven of which are the date."""
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2262, 4, 11, tzinfo=UTC)

_KEYWORD = {"type": "keyword", "ignore_above": IGNORE_ABOVE}
_LOWER = {"lower": {**_KEYWORD, "normalizer": "lowercase", "doc_values": False}}
_TYPES: dict[str, dict[str, Any]] = {
    "timestamp": {"type": "date_nanos", "ignore_malformed": True},
    "message": {"type": "text", "fields": _LOWER},
    "tool_name": {**_KEYWORD, "fields": _LOWER},
    "output_summary": {"type": "text", "fields": _LOWER},
    "error_message": {"type": "text", "fields": _LOWER},
    "duration_ms": {"type": "double"},
    "line": {"type": "long"},
    "process_id": {"type": "long"},
    "input_args": {"type": "object", "enabled": False},
    "extra_data": {"type": "object", "enabled": False},
}


def checked_prefix(prefix: str) -> str:
    """Return the prefix, or raise SettingError where no index could be named after it."""
    if problem := _prefix_problem(prefix):
        msg = f"ELASTICSEARCH_INDEX_PREFIX is {prefix!r}, which {problem}: valid is something like mcp-logs"
        raise SettingError(msg)
    return prefix


def daily_index(prefix: str, day: date) -> str:
    """Return the name of a day's index."""
    return f"{prefix}-{day.year:04}.{day.month:02}.{day.day:02}"


def all_indices(prefix: str) -> str:
    """Return the expression that matches all daily indices of a prefix, and now and then one of somebody else."""
    return f"{prefix}-*.*.*"


def index_body() -> dict[str, Any]:
    """Return the settings and mappings of a daily index, as `indices.create` takes them.

    Unknown fields are kept and not indexed. `date_nanos`, since `date` forgets microseconds: entries of one
    millisecond would lose their order.
    """
    properties = {name: _TYPES.get(name, _KEYWORD) for name in FIELD_NAMES}
    return {"settings": {"auto_expand_replicas": "0-1"}, "mappings": {"dynamic": False, "properties": properties}}


def index_template(prefix: str) -> dict[str, Any]:
    """Return the template of the daily indices, as `put_index_template` takes it."""
    return {
        "index_patterns": [f"{prefix}-*"],
        "priority": PRIORITY + len(prefix),
        "version": TEMPLATE_VERSION,
        "template": index_body(),
    }


def expired(indices: Iterable[str], prefix: str, retention_days: int) -> Iterator[str]:
    """Yield the daily indices of exactly this prefix whose last moment is past retention."""
    first_kept = (datetime.now(UTC) - timedelta(days=retention_days)).date()
    for index in indices:
        day = _day(index, prefix)
        if day is not None and day < first_kept:
            yield index


def search_request(query: LogQuery, prefix: str, *, size: int, after: list[Any] | None) -> dict[str, Any]:
    """Return the arguments of one `search` that finds at least what `query` wants, newest first.

    Pages follow each other by `search_after`, since `from` ends at 10,000. Entries of one moment come in the order
    they were indexed, which `_seq_no` tells within an index of one shard.
    """
    newest_first = {"order": "desc", "unmapped_type": "date_nanos", "numeric_type": "date_nanos"}
    order = [{"timestamp": newest_first}, {"_seq_no": {"order": "desc"}}]
    request: dict[str, Any] = {"query": {"bool": {"filter": list(_conditions(query))}}, "sort": order, "size": size}
    if after is not None:
        request["search_after"] = after
    return {"index": all_indices(prefix), "ignore_unavailable": True, "track_total_hits": False, **request}


def is_ours(index: str, prefix: str) -> bool:
    """Tell whether an index is a daily one of exactly this prefix."""
    return _day(index, prefix) is not None


def entry_of(hit: Mapping[str, Any], query: LogQuery, prefix: str) -> LogEntry | None:
    """Return a hit's entry; None where it is none, or without the searched text, which the cluster only narrows."""
    source = hit["_source"]
    if not is_ours(hit["_index"], prefix) or "entry_id" not in source or not _holds(source, query.text):
        return None
    try:
        return LogEntry.from_dict(source)
    except ValueError:
        return None


def _holds(source: Mapping[str, Any], text: str | None) -> bool:
    return text is None or any(text.casefold() in str(source.get(name, "")).casefold() for name in TEXT_FIELDS)


def _prefix_problem(prefix: str) -> str:
    if not prefix or len(prefix.encode(errors="replace")) > MAX_PREFIX:
        return f"has not 1 to {MAX_PREFIX} bytes"
    if prefix != prefix.lower():
        return "is not in lower case"
    if prefix[0] in "-_+.":
        return "begins with one of - _ + ."
    if any(character in '\\/*?"<>|,#: ' or not character.isprintable() for character in prefix):
        return 'holds a blank or one of \\ / * ? " < > | , # :'
    return ""


def _day(index: str, prefix: str) -> date | None:
    found = re.fullmatch(r"-([0-9]{4})\.([0-9]{2})\.([0-9]{2})", index.removeprefix(prefix))
    if found is None or not index.startswith(prefix):
        return None
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        return None


def _conditions(query: LogQuery) -> Iterator[dict[str, Any]]:
    for name, value in query.equals.items():
        yield {"term": {name: value}}
    if query.levels:
        yield {"terms": {"level": list(query.levels)}}
    for comparison, moment in (("gte", query.since), ("lt", query.until)):
        if moment is not None:
            yield {"range": {"timestamp": {comparison: iso_utc(min(max(moment, _EARLIEST), _LATEST))}}}
    if query.text is not None:
        yield {"bool": {"should": [clause for name in TEXT_FIELDS for clause in _text_clauses(name, query.text)]}}


def _text_clauses(name: str, text: str) -> Iterator[dict[str, Any]]:
    """Yield what finds a text in a field, and what finds the values that were too long to be indexed."""
    pattern = re.sub(r"([\\*?])", r"\\\1", text[:MAX_PATTERN])
    yield {"wildcard": {f"{name}.lower": {"value": f"*{pattern}*"}}}
    yield {"term": {"_ignored": f"{name}.lower"}}
