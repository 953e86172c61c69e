"""Entries as Convex documents: camelCase names, absent instead of null, and nothing that Convex refuses.

The limits are those of https://docs.convex.dev/production/state/limits. Convex measures a document in an encoding of
its own, in which a number has nine bytes.
"""

from __future__ import annotations

import re
from datetime import UTC
from hashlib import blake2s
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import orjson

from ...entry import FIELD_NAMES, JSON_FIELDS, iso_utc
from ...json_safe import cut_value, encode_json, encode_json_bytes, readable
from ..base import LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_DOCUMENT = 1_048_576 - 1_024
"""Bytes of a document, less what Convex adds to it; also of a request, so that none of its documents is larger."""
MAX_LEVELS = 14
"""Nesting of an entry: Convex allows 16 levels, of which a request takes two."""
MAX_ITEMS = 8_192
MAX_KEYS = 1_024
MAX_KEY = 1_024
MAX_INTEGER = 2**53
"""Convex's numbers are doubles; larger integers become text."""
NUMBER = 8
"""Bytes a number may take beyond its shortest JSON text."""
TRIM_SHARES = (4, 16, 64, 256)
"""Fractions of the limit to which texts of an oversized entry are cut, until it fits."""

_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
_ODD_KEY = re.compile(rb'"[$_%"]')
"""A text that begins as no key may, or is empty."""


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


NAMES = {name: _camel(name) for name in FIELD_NAMES}
"""The document's names by the entry's."""
_CAMEL_NAMES = tuple(NAMES.values())


def encode_requests(entries: Sequence[LogEntry]) -> Iterator[tuple[Sequence[LogEntry], bytes]]:
    """Yield entries with the JSON array of their documents, halved until it is no larger than a document may be."""
    documents = [_document(entry) for entry in entries]
    text = _encode(documents)
    if _size(text) <= MAX_DOCUMENT:
        yield entries, text
    elif len(entries) == 1:
        yield entries, orjson.dumps([_trimmed(orjson.loads(text)[0], len(text))])
    else:
        middle = len(entries) // 2
        yield from encode_requests(entries[:middle])
        yield from encode_requests(entries[middle:])


def decode_document(document: Mapping[str, Any]) -> LogEntry:
    """Return the entry of a document, its keys as they were."""
    values = {name: document.get(camel) for name, camel in NAMES.items()}
    for name in JSON_FIELDS:
        values[name] = _original(values[name])
    return LogEntry.from_dict(values)


def safe_key(key: str) -> str:
    """Return a key that Convex takes: itself, or `%` and its URL encoding, which leaves printable ASCII as it is."""
    if key and key[0] not in "$_%" and key.isascii() and key.isprintable() and len(key) <= MAX_KEY:
        return key
    safe = "%" + quote(key, safe=_PLAIN)
    if len(safe) <= MAX_KEY:
        return safe
    mark = f"... [{len(key)} characters, {blake2s(key.encode(), digest_size=4).hexdigest()}]"
    return safe[: MAX_KEY - len(mark)] + mark


def original_key(key: str) -> str:
    """Return the key that `safe_key` was given, unless that was cut."""
    return unquote(key[1:]) if key.startswith("%") else key


def _document(entry: LogEntry) -> dict[str, Any]:
    document = {name: value for name, value in zip(_CAMEL_NAMES, entry.values(), strict=True) if value is not None}
    if entry.timestamp.tzinfo is not UTC or not entry.timestamp.microsecond:
        # Otherwise orjson writes it as `iso_utc` does.
        document["timestamp"] = iso_utc(entry.timestamp)
    return document


def _encode(documents: list[dict[str, Any]]) -> bytes:
    try:
        for document in documents:
            if _may_be_odd(_dumps((document.get("inputArgs"), document.get("extraData")))):
                _make_safe(document)
        text = _dumps(documents)
    except Exception:  # noqa: BLE001 - whatever orjson or a broken object raises, the long way copes with it
        text = b""
    if text and b'"durationMs":null' not in text:
        return text
    for document in documents:
        _make_safe(document)
    return orjson.dumps(documents)


def _dumps(value: object) -> bytes:
    """Return JSON text; raise what orjson raises, also for integers that are no doubles."""
    return orjson.dumps(value, default=readable, option=orjson.OPT_STRICT_INTEGER)


def _may_be_odd(text: bytes) -> bool:
    """Tell whether a value may hold what Convex refuses: cheap, and wrong only towards yes."""
    return (
        len(text) > MAX_KEY
        or not text.isascii()
        or b"\\" in text
        or b"\x7f" in text
        or text.count(b"{") + text.count(b"[") > MAX_LEVELS
        or _ODD_KEY.search(text) is not None
    )


def _size(text: bytes) -> int:
    """Return a size that the values of a JSON text do not exceed in Convex."""
    return len(text) + NUMBER * text.count(b",")


def _make_safe(document: dict[str, Any]) -> None:
    """Replace what Convex refuses, field by field."""
    for name, value in document.items():
        document[name] = _fitted(orjson.loads(encode_json_bytes(value)), 2)
    for name in [name for name, value in document.items() if value is None]:
        del document[name]


def _fitted(value: Any, level: int) -> Any:
    """Return a copy of a JSON value that holds nothing Convex refuses; a container would be at `level`."""
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return str(value)
    if not isinstance(value, dict | list):
        return value
    if level > MAX_LEVELS:
        return encode_json(value)
    if isinstance(value, list):
        kept = [_fitted(item, level + 1) for item in value[: MAX_ITEMS - 1]]
        return kept if len(value) < MAX_ITEMS else [*kept, _cut_mark(value)]
    items: Iterable[tuple[str, Any]] = islice(value.items(), MAX_KEYS - 1)
    fitted = {safe_key(key): _fitted(item, level + 1) for key, item in items}
    return fitted if len(value) < MAX_KEYS else {**fitted, "...": _cut_mark(value)}


def _cut_mark(value: dict[str, Any] | list[Any]) -> str:
    return f"[truncated, {len(value)} items]"


def _trimmed(document: dict[str, Any], size: int) -> dict[str, Any]:
    """Return a document with its texts cut until it fits, and `trimmed`, its size in bytes, in `extraData`."""
    document.setdefault("extraData", {})
    for share in TRIM_SHARES:
        cut = {name: cut_value(value, MAX_DOCUMENT // share) for name, value in document.items()}
        cut["extraData"]["trimmed"] = size
        if _size(orjson.dumps([cut])) <= MAX_DOCUMENT:
            return cut
    for name in ("inputArgs", "extraData"):
        if name in document:  # numbers without end: a part of their JSON text has to do
            cut[name] = {"text": cut_value(encode_json(document[name]), MAX_DOCUMENT // TRIM_SHARES[-1])}
    cut["extraData"]["trimmed"] = size
    return cut


def _original(value: Any) -> Any:
    if isinstance(value, dict):
        return {original_key(key): _original(item) for key, item in value.items()}
    return [_original(item) for item in value] if isinstance(value, list) else value
