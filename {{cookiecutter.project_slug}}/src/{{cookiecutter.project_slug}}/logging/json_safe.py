"""Any Python value as JSON: readable, bounded, and never an exception.

orjson first, since it is right for nearly everything and takes a microsecond; the slow, bounded walk only where orjson
refuses a value or would lose it (NaN), where the text holds NUL (which databases refuse), or where it is large.
"""

from __future__ import annotations

import math
from asyncio import CancelledError
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from datetime import date
from enum import Enum
from typing import Any

import orjson

MAX_TEXT = 10_000
"""Characters kept of one text, unless configured otherwise."""
MAX_DEPTH = 32
MAX_ITEMS = 1_000
"""Items kept of one container."""
BUDGET_TEXTS = 4
"""A whole value may hold as many characters and items as this many texts of the maximal length have characters."""
OTHERS = (KeyboardInterrupt, SystemExit, GeneratorExit, CancelledError)
"""What is raised in the middle of anything and is meant for others; code in Rust panics with a BaseException too."""
_NAME = type.__dict__["__name__"].__get__


def encode_json(value: object) -> str:
    """Return `value` as JSON text; what JSON has no word for becomes readable text."""
    return encode_json_bytes(value).decode()


def encode_json_bytes(value: object) -> bytes:
    """Return `value` as UTF-8 JSON; what JSON has no word for becomes readable text."""
    try:
        return orjson.dumps(value, default=readable)
    except Exception:  # noqa: BLE001 - whatever orjson or a broken object raises, the walk below copes with it
        return orjson.dumps(json_safe(value))


def decode_json(text: str | bytes) -> Any:
    """Return the value of JSON text, or the text itself under the key `text` where it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"text": text if isinstance(text, str) else text.decode(errors="replace")}


def safe_text(text: str, *, max_text: int = MAX_TEXT) -> str:
    """Return `text` without NUL and lone surrogates, cut to `max_text` characters with its full size noted."""
    if len(text) > max_text:
        return cut_text(text, max_text)
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def cut_text(text: str, limit: int) -> str:
    """Return the first `limit` characters of a longer text as `safe_text` does, with its full size noted."""
    return f"{safe_text(text[:limit], max_text=limit)}... [truncated, {len(text)} characters]"


def cut_value(value: object, limit: int) -> Any:
    """Return a value with its texts cut to `limit` characters: `safe_text` of a text, `json_safe` of any other."""
    return safe_text(value, max_text=limit) if isinstance(value, str) else json_safe(value, max_text=limit)


def json_safe(value: object, *, max_text: int = MAX_TEXT) -> Any:
    """Return a copy of `value` made of JSON's types only, no larger than a few texts of `max_text` characters."""
    return json_copy(value, max_text=max_text)[0]


def json_copy(value: object, *, max_text: int = MAX_TEXT, cut: Callable[[str, int], str] = cut_text) -> tuple[Any, str]:
    """Return `json_safe`'s copy of `value` and its JSON text; `cut` cuts the texts that are too long."""
    try:
        text = orjson.dumps(value, default=readable)
    except Exception:  # noqa: BLE001 - as above
        text = b""
    if not text or len(text) > max_text or b"\\u0000" in text or (b"null" in text and _may_hold_odd_float(value)):
        copy = _Walk(max_text, cut).copy(value)
        return copy, orjson.dumps(copy).decode()
    return orjson.loads(text), text.decode()


def readable(value: object) -> Any:
    """Return something JSON can express for a value it has no word for; what a broken object raises is described."""
    try:
        return _readable(value)
    except OTHERS:
        raise
    except BaseException as error:  # noqa: BLE001 - __repr__, __iter__ and model_dump are other people's code
        return _unreadable(value, error)


def _unreadable(value: object, error: BaseException) -> str:
    return f"<{_class_of(value)}, not readable: {_class_of(error)}>"


def _class_of(value: object) -> str:
    """Return the name of a value's class, also where that has a `__name__` of its own making."""
    name: str = _NAME(type(value))
    return name


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
    (BaseException, lambda value: f"{_class_of(value)}: {value}"),
    (Mapping, dict),
    (date, lambda value: value.isoformat()),
)


def _may_hold_odd_float(value: object) -> bool:
    """Tell whether a value may hold NaN or an infinity, which orjson writes as null: wrong only towards yes."""
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, Mapping):
        return any(map(_may_hold_odd_float, value.values()))
    if isinstance(value, list | tuple | AbstractSet):
        return any(map(_may_hold_odd_float, value))
    return not isinstance(value, str | int | None)


class _Walk:
    """A copy of a value with bounds on depth, items, text length and total size."""

    def __init__(self, max_text: int, cut: Callable[[str, int], str]) -> None:
        self.max_text = max_text
        self.budget = max_text * BUDGET_TEXTS
        self.cut = cut

    def copy(self, value: object, depth: int = 0) -> Any:
        self.budget -= 1
        if value is None or isinstance(value, str | int | float):
            return self._scalar(value)
        if depth >= MAX_DEPTH:
            return f"<{_class_of(value)}, deeper than {MAX_DEPTH} levels>"
        try:
            return self._container(value, depth)
        except OTHERS:
            raise
        except BaseException as error:  # noqa: BLE001 - an object that changes or raises while it is read
            return _unreadable(value, error)

    def _scalar(self, value: str | float | None) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, int):
            return int(value) if -(2**63) <= value < 2**64 else self._text(_integer(value))
        return float(value) if math.isfinite(value) else str(float(value))

    def _container(self, value: object, depth: int) -> Any:
        if isinstance(value, Enum):
            return self.copy(value.value, depth + 1)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes | bytearray | memoryview):
            return self._items(value, depth)
        converted = readable(value)
        return self._text(converted) if isinstance(converted, str) else self.copy(converted, depth + 1)

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        copy: dict[str, Any] = {}
        for number, (key, item) in enumerate(value.items()):
            if number >= MAX_ITEMS or self.budget <= 0:
                copy["..."] = f"[truncated, {len(value)} items]"
                break
            copy[self._text(key if isinstance(key, str) else str(readable(key)))] = self.copy(item, depth + 1)
        return copy

    def _items(self, value: Sequence[Any] | AbstractSet[Any], depth: int) -> list[Any]:
        copy: list[Any] = []
        for number, item in enumerate(value):
            if number >= MAX_ITEMS or self.budget <= 0:
                copy.append(f"[truncated, {len(value)} items]")
                break
            copy.append(self.copy(item, depth + 1))
        return copy

    def _text(self, text: str) -> str:
        limit = max(0, min(self.max_text, self.budget))
        kept = self.cut(text, limit) if len(text) > limit else safe_text(text, max_text=limit)
        self.budget -= max(len(kept), min(len(text), limit))
        return kept


def _integer(value: int) -> str:
    """Return a large integer's digits, or its size where Python refuses to write that many."""
    try:
        return str(int(value))
    except ValueError:
        return f"<int of {value.bit_length()} bits>"
