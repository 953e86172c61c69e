"""Convert any Python value to JSON: readable, bounded, and without exceptions.

orjson comes first: it handles nearly everything in a microsecond. A slow walk copies only values that orjson rejects or
would lose (NaN), texts with NUL (which databases reject), and large values.
"""

from __future__ import annotations

import json
import math
from asyncio import CancelledError
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any, cast

import orjson

MAX_TEXT = 10_000  # default for the characters kept of one text
MAX_DEPTH = 32
MAX_ITEMS = 1_000  # items kept of one container
BUDGET_TEXTS = 4  # the size limit of a whole value, in texts of maximum length; each item counts as one character
INTERRUPTS = (KeyboardInterrupt, SystemExit, GeneratorExit, CancelledError)
"""Exceptions that may be raised anywhere and concern other code; Rust panics, which do not, are BaseException too."""
_name_of_class = type.__dict__["__name__"].__get__
"""Return the name of a class, even if its metaclass overrides `__name__`."""


def encode_json(value: object) -> str:
    """Return `value` as JSON text; values that JSON cannot express become readable text."""
    return encode_json_bytes(value).decode()


def encode_json_bytes(value: object) -> bytes:
    """Return `value` as JSON in UTF-8; values that JSON cannot express become readable text."""
    try:
        return orjson.dumps(value, default=readable)
    except Exception:  # noqa: BLE001 - json_safe copes with anything that orjson or a broken object raises
        return orjson.dumps(json_safe(value))


def json_size(value: object) -> int | None:
    """Return the bytes of `value` as compact JSON in UTF-8, or None if it is not JSON."""
    try:
        return len(orjson.dumps(value))
    except Exception:  # noqa: BLE001 - integers beyond 64 bits, lone surrogates, and whatever a foreign object raises
        with suppress(Exception):
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            return len(text.encode("utf-8", "surrogatepass"))
    return None


def decode_json(text: str | bytes) -> Any:
    """Return the value of JSON text; return invalid JSON under the key `text`."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"text": text if isinstance(text, str) else text.decode(errors="replace")}


def scalars(value: object) -> list[str | float]:
    """Return the texts, numbers and booleans inside a JSON value; the names in its objects are left out."""
    found: list[str | float] = []
    _add_scalars(value, found)
    return found


def _add_scalars(value: object, found: list[str | float]) -> None:
    if isinstance(value, (dict, list, tuple)):
        for item in value.values() if isinstance(value, dict) else value:
            _add_scalars(item, found)
    elif value is not None:
        found.append(cast("str | float", value))


def safe_text(text: str, max_text: int = MAX_TEXT) -> str:
    """Return `text` without NUL and lone surrogates, truncated to `max_text` characters with its size noted."""
    if len(text) > max_text:
        return f"{safe_text(text[:max_text], max_text)}... [truncated, {len(text)} characters]"
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def cut_value(value: object, limit: int) -> Any:
    """Return a JSON-safe value whose texts are truncated to `limit` characters."""
    return safe_text(value, limit) if isinstance(value, str) else json_safe(value, max_text=limit)


def json_safe(value: object, *, max_text: int = MAX_TEXT) -> Any:
    """Return a copy of `value` that contains only JSON types and is no larger than a few texts of `max_text`."""
    return json_copy(value, max_text=max_text)[0]


def json_copy(value: object, *, max_text: int, cut: Callable[[str, int], str] = safe_text) -> tuple[Any, str]:
    """Return the copy that `json_safe` makes, and its JSON text; `cut(text, limit)` truncates long texts."""
    try:
        text = orjson.dumps(value, default=readable)
    except Exception:  # noqa: BLE001 - as above
        text = b""
    if not text or len(text) > max_text or b"\\u0000" in text or (b"null" in text and _may_contain_nan(value)):
        copy = _Walk(max_text, cut).copy(value)
        return copy, orjson.dumps(copy).decode()
    return orjson.loads(text), text.decode()


def readable(value: object) -> Any:
    """Return something close to JSON for a value that JSON cannot express, and a description of a broken one."""
    try:
        return _readable(value)
    except INTERRUPTS:
        raise
    except BaseException as error:  # noqa: BLE001 - __repr__, __iter__ and model_dump are foreign code
        return _describe_broken(value, error)


def _readable(value: object) -> Any:
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    if callable(dump := getattr(type(value), "model_dump", None)):
        return dump(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    return str(value) if type(value).__str__ is not object.__str__ else repr(value)


_CONVERSIONS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (AbstractSet, list),
    ((bytes, bytearray, memoryview), lambda value: bytes(value).decode("utf-8", "backslashreplace")),
    (BaseException, lambda value: f"{_name_of_class(type(value))}: {value}"),
    (Mapping, dict),
    (date, lambda value: value.isoformat()),
)


def _describe_broken(value: object, error: BaseException) -> str:
    return f"<{_name_of_class(type(value))}, not readable: {_name_of_class(type(error))}>"


def _may_contain_nan(value: object) -> bool:
    """Return whether a value may contain NaN or an infinity, which orjson writes as null; false positives are fine."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, Mapping):
        return any(map(_may_contain_nan, value.values()))
    if isinstance(value, list | tuple | AbstractSet):
        return any(map(_may_contain_nan, value))
    return not isinstance(value, str | int | None)


class _Walk:
    """Copy a value with limits on depth, items, text length and total size."""

    def __init__(self, max_text: int, cut: Callable[[str, int], str]) -> None:
        self.max_text = max_text
        self.budget = max_text * BUDGET_TEXTS
        self.cut = cut

    def copy(self, value: object, depth: int = 0) -> Any:
        self.budget -= 1
        if value is None or isinstance(value, str | int | float):
            return self._scalar(value)
        if depth >= MAX_DEPTH:
            return f"<{_name_of_class(type(value))}, deeper than {MAX_DEPTH} levels>"
        try:
            return self._container(value, depth + 1)
        except INTERRUPTS:
            raise
        except BaseException as error:  # noqa: BLE001 - an object may change or raise while it is read
            return _describe_broken(value, error)

    def _scalar(self, value: str | float | None) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, int):
            return int(value) if -(2**63) <= value < 2**64 else self._text(_digits(value))
        return float(value) if math.isfinite(value) else str(float(value))

    def _container(self, value: object, depth: int) -> Any:
        if isinstance(value, Enum):
            return self.copy(value.value, depth)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes | bytearray | memoryview):
            return self._items(value, depth)
        converted = readable(value)
        return self._text(converted) if isinstance(converted, str) else self.copy(converted, depth)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        for number, (key, item) in enumerate(value.items()):
            if number >= MAX_ITEMS or self.budget <= 0:
                copy["..."] = f"[truncated, {len(value)} items]"
                break
            copy[self._text(key if isinstance(key, str) else str(readable(key)))] = self.copy(item, depth)
        return copy

    def _items(self, value: Sequence[Any] | AbstractSet[Any], depth: int) -> list[Any]:
        copy: list[Any] = []
        for number, item in enumerate(value):
            if number >= MAX_ITEMS or self.budget <= 0:
                copy.append(f"[truncated, {len(value)} items]")
                break
            copy.append(self.copy(item, depth))
        return copy

    def _text(self, text: str) -> str:
        limit = max(0, min(self.max_text, self.budget))
        kept = self.cut(text, limit) if len(text) > limit else safe_text(text, limit)
        self.budget -= max(len(kept), min(len(text), limit))
        return kept


def _digits(value: int) -> str:
    """Return the digits of a large integer, or its size in bits if Python refuses to write that many."""
    try:
        return str(int(value))
    except ValueError:
        return f"<int of {value.bit_length()} bits>"
