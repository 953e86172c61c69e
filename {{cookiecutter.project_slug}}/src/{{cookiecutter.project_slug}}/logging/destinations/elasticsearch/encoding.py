"""Elasticsearch's `_bulk`: entries as request bodies, and what became of each of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from ...entry import FIELD_NAMES, iso_utc
from ...errors import MAX_REASON, AccessError, DeliveryError, InvalidEntryError, PartialDeliveryError
from ...json_safe import encode_json_bytes, json_safe, readable
from ..base import LogEntry
from .schema import daily_index

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

MAX_REQUEST = 1_048_576
"""Bytes of one request, unless a single entry is larger: aiohttp warns of more, a small cluster answers 429 to it."""
_TAKEN = frozenset({200, 201, 409})
_BUSY = frozenset({429, *range(500, 600)})
_REFUSED = frozenset({401, 403})
_UNAVAILABLE = frozenset({"index_closed_exception", "index_not_found_exception", "validation_exception"})
"""Errors that say nothing against the entry: its index is closed or may not be made, the cluster has no shard left."""


class Results:
    """What became of those entries of a batch that were not simply taken."""

    def __init__(self) -> None:
        self.again: list[LogEntry] = []
        self.rejected: list[LogEntry] = []
        self.refused = 0
        self.unavailable = 0
        self.reason = ""

    def add(self, entries: Sequence[LogEntry], reply: Mapping[str, Any]) -> None:
        """Sort entries by the item of the reply that stands in the same place."""
        items = reply["items"]
        if reply["errors"] is False and len(items) == len(entries):
            return
        for entry, item in zip(entries, items, strict=True):
            result = item["create"]
            if result["status"] not in _TAKEN:
                self._sort(entry, result["status"], result.get("error", {}))

    def check(self, total: int) -> None:
        """Raise what a batch of `total` entries came to, unless all of them were taken.

        Where not one was taken, for a reason that is not its content, the batch is not at fault.
        """
        if not self.again and not self.rejected:
            return
        if self.refused == total:
            msg = f"Elasticsearch refuses to index: {self.reason}"
            raise AccessError(msg)
        if self.unavailable == total:
            msg = f"Elasticsearch cannot index: {self.reason}"
            raise DeliveryError(msg)
        msg = f"Elasticsearch did not take {len(self.again) + len(self.rejected)} of {total} entries: {self.reason}"
        raise PartialDeliveryError(msg, retryable=self.again, invalid=self.rejected)

    def _sort(self, entry: LogEntry, status: int, error: Mapping[str, Any]) -> None:
        kind = error.get("type")
        self.reason = self.reason or f"{status} {kind}: {error.get('reason')}"[:MAX_REASON]
        if status in _BUSY:
            self.again.append(entry)
            return
        self.rejected.append(entry)
        self.refused += status in _REFUSED
        self.unavailable += kind in _UNAVAILABLE


def requests(entries: Sequence[LogEntry], prefix: str) -> Iterator[tuple[Sequence[LogEntry], bytes]]:
    """Yield runs of entries, each with the body of its `_bulk` request."""
    lines, size, start = list[bytes](), 0, 0
    for number, entry in enumerate(entries):
        line = _operation(entry, prefix)
        if lines and size + len(line) > MAX_REQUEST:
            yield entries[start:number], b"".join(lines)
            lines, size, start = [], 0, number
        lines.append(line)
        size += len(line)
    if lines:
        yield entries[start:], b"".join(lines)


def indices(entries: Sequence[LogEntry], prefix: str) -> set[str]:
    """Return the names of the indices that entries go to."""
    return {daily_index(prefix, _moment(entry).date()) for entry in entries}


def _operation(entry: LogEntry, prefix: str) -> bytes:
    """Return the two lines of an entry: what to do, and its fields without those that are None."""
    moment = _moment(entry)
    action, name = _action(prefix, moment.toordinal()), encode_json_bytes(entry.entry_id)
    return b"%b%b}}\n%b\n" % (action, name, _document(entry, moment))


def _moment(entry: LogEntry) -> datetime:
    """Return an entry's timestamp in UTC; raise InvalidEntryError where it has none."""
    try:
        moment = entry.timestamp
        return moment if moment.tzinfo is UTC else datetime.fromisoformat(iso_utc(moment))
    except (AttributeError, OverflowError, TypeError, ValueError) as error:
        msg = f"Elasticsearch cannot index an entry whose timestamp is {entry.timestamp!r}"
        raise InvalidEntryError(msg) from error


def _document(entry: LogEntry, moment: datetime) -> bytes:
    fields = _fields(entry)
    fields["timestamp"] = moment
    try:
        return orjson.dumps(fields, default=readable)
    except Exception:  # noqa: BLE001 - whatever orjson or a broken object raises, the slow way copes with it
        fields["timestamp"] = iso_utc(moment)
        return orjson.dumps({name: json_safe(value) for name, value in fields.items()})


@lru_cache(maxsize=64)
def _action(prefix: str, day: int) -> bytes:
    """Return the beginning of a day's action lines, up to the id."""
    index = daily_index(prefix, date.fromordinal(day))
    return orjson.dumps({"create": {"_index": index}}).removesuffix(b"}}") + b',"_id":'


def _unrolled() -> Callable[[LogEntry], dict[str, object]]:
    """Return a function that gives those of an entry's fields which are not None.

    Its source is made from their names, as dataclasses makes `__init__`: a loop over them takes twice as long, which
    is a seventh of all that this destination costs.
    """
    lines = [f"    if (value := entry.{name}) is not None: fields[{name!r}] = value" for name in FIELD_NAMES]
    namespace: dict[str, Callable[[LogEntry], dict[str, object]]] = {}
    exec("\n".join(["def unrolled(entry):", "    fields = {}", *lines, "    return fields"]), namespace)  # noqa: S102
    return namespace["unrolled"]


_fields = _unrolled()
