"""Entries as Convex documents: camelCase names, absent instead of null, and within Convex's limits.

The limits are listed at https://docs.convex.dev/production/state/limits.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2s
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote

import orjson
from pydantic.alias_generators import to_camel

from ...entry import FIELD_NAMES, JSON_FIELDS, LogEntry, iso_utc, with_extra_data
from ...json_safe import cut_value, encode_json, encode_json_bytes, readable

REQUEST_ENTRIES = 500
"""Maximum entries per request, which is one transaction: each entry reads an index range, and 4,096 are allowed."""
MAX_DOCUMENT = 1_048_576 - 1_024
"""Maximum bytes of a document, minus the fields that Convex adds; also of a request."""
MAX_LEVELS = 14  # maximum nesting of an entry: Convex allows 16 levels, and a request adds two
MAX_ITEMS = 8_192
MAX_KEYS = 1_024
MAX_KEY = 1_024
MAX_INTEGER = 2**53  # larger integers become text, because Convex's numbers are doubles
NUMBER_BYTES = 8  # bytes that a number may take beyond its JSON text: Convex stores numbers in nine bytes
TRIM_SHARES = (4, 16, 64, 256, 1_024)
"""Shares of MAX_DOCUMENT to which the texts of an oversized entry are cut, until it fits."""

_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
_UNSAFE_KEY = re.compile(rb'"[$_%"]')
"""Matches an empty JSON text, and the start of one that keys must not begin with."""
NAMES = {name: to_camel(name) for name in FIELD_NAMES}  # names in documents by the names of fields


def encode_requests(
    entries: Sequence[LogEntry], known: Collection[str] = FIELD_NAMES
) -> Iterator[tuple[Sequence[LogEntry], bytes]]:
    """Yield the entries of each request with the JSON array of their documents.

    Fields outside `known` become part of `extraData`.
    """
    for start in range(0, len(entries), REQUEST_ENTRIES):
        yield from _encode_parts(entries[start : start + REQUEST_ENTRIES], known)


def decode_document(document: Mapping[str, Any]) -> LogEntry:
    """Return the entry of a document; raise ValueError if it has no valid timestamp."""
    values = {name: document.get(camel) for name, camel in NAMES.items()}
    for name in JSON_FIELDS:
        values[name] = _with_original_keys(values[name])
    return LogEntry.from_dict(values)


def safe_key(key: str) -> str:
    """Return a key unchanged if Convex accepts it, else `%` and its URL encoding; cut it if it is too long."""
    if key and key[0] not in "$_%" and key.isascii() and key.isprintable() and len(key) <= MAX_KEY:
        return key
    safe = "%" + quote(key, safe=_PLAIN)
    if len(safe) <= MAX_KEY:
        return safe
    mark = f"... [{len(key)} characters, {blake2s(key.encode(), digest_size=4).hexdigest()}]"
    return safe[: MAX_KEY - len(mark)] + mark


def original_key(key: str) -> str:
    """Undo `safe_key`, except for a cut."""
    return unquote(key[1:]) if key.startswith("%") else key


def _encode_parts(entries: Sequence[LogEntry], known: Collection[str]) -> Iterator[tuple[Sequence[LogEntry], bytes]]:
    """Halve entries until each part fits into a request; trim an entry that is too large alone."""
    text = _encode([_to_document(entry, known) for entry in entries])
    if _size(text) <= MAX_DOCUMENT:
        yield entries, text
    elif len(entries) == 1:
        yield entries, _trim(text)
    else:
        middle = len(entries) // 2
        yield from _encode_parts(entries[:middle], known)
        yield from _encode_parts(entries[middle:], known)


def _to_document(entry: LogEntry, known: Collection[str]) -> dict[str, Any]:
    if len(known) < len(FIELD_NAMES):
        entry = with_extra_data(entry, known)
    document = {name: value for name, value in zip(NAMES.values(), entry.values(), strict=True) if value is not None}
    document["timestamp"] = iso_utc(entry.timestamp)
    return document


def _encode(documents: list[dict[str, Any]]) -> bytes:
    """Return documents as a JSON array that Convex accepts: in one call, which is twice as fast as one per document."""
    with suppress(Exception):  # orjson rejects a value, or a broken object raises
        text = _dumps([_fit_fields(document) if _may_exceed_limits(document) else document for document in documents])
        if b'"durationMs":null' not in text:
            return text
    return orjson.dumps([_fit_fields(document) for document in documents])


def _dumps(value: object) -> bytes:
    """Return JSON text; raise if an integer is too large for a double."""
    return orjson.dumps(value, default=readable, option=orjson.OPT_STRICT_INTEGER)


def _may_exceed_limits(document: dict[str, Any]) -> bool:
    """Return whether Convex may reject a value of a document: a quick check that errs towards yes only."""
    text = _dumps((document.get("inputArgs"), document.get("extraData")))
    return (
        len(text) > MAX_KEY
        or not text.isascii()
        or b"\\" in text
        or b"\x7f" in text
        or text.count(b"{") + text.count(b"[") > MAX_LEVELS
        or _UNSAFE_KEY.search(text) is not None
    )


def _size(text: bytes) -> int:
    """Return the maximum size that a JSON array can have in Convex; at most one number precedes each comma."""
    return len(text) + NUMBER_BYTES * text.count(b",")


def _fit_fields(document: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a document in which Convex accepts every field."""
    fitted = {name: _fit(orjson.loads(encode_json_bytes(value)), 2) for name, value in document.items()}
    return {name: value for name, value in fitted.items() if value is not None}


def _fit(value: Any, level: int) -> Any:
    """Return a copy of a JSON value that Convex accepts; `level` is its nesting."""
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return str(value)
    if not isinstance(value, dict | list):
        return value
    if level > MAX_LEVELS:
        return encode_json(value)
    mark = f"[truncated, {len(value)} items]"
    if isinstance(value, list):
        items = [_fit(item, level + 1) for item in value[: MAX_ITEMS - 1]]
        return items if len(value) < MAX_ITEMS else [*items, mark]
    fields = {safe_key(key): _fit(item, level + 1) for key, item in islice(value.items(), MAX_KEYS - 1)}
    return fields if len(value) < MAX_KEYS else {**fields, "...": mark}


def _trim(text: bytes) -> bytes:
    """Cut the texts of a single document until it fits; `extraData.trimmed` is its size before."""
    (document,) = orjson.loads(text)
    for share in TRIM_SHARES:
        fields = {name: cut_value(value, MAX_DOCUMENT // share) for name, value in document.items()}
        fields["extraData"] = {**fields.get("extraData", {}), "trimmed": len(text)}
        trimmed = orjson.dumps([fields])
        if _size(trimmed) <= MAX_DOCUMENT:
            break
    return trimmed


def _with_original_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {original_key(key): _with_original_keys(item) for key, item in value.items()}
    return [_with_original_keys(item) for item in value] if isinstance(value, list) else value
