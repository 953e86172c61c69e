"""Any value becomes JSON: readable, bounded, and without an exception."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import functools
import math
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from helpers import Broken
from pydantic import create_model

from {{cookiecutter.project_slug}}.logging.entries import EntryFactory
from {{cookiecutter.project_slug}}.logging.json_safe import (
    decode_json,
    encode_json,
    json_safe,
    readable,
    safe_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Colour = enum.Enum("Colour", {"RED": "red"})
Point = dataclasses.make_dataclass("Point", ["x"])
Model = create_model("Model", name=(str, ...))
NAMELESS = type("Nameless", (type,), {"__name__": property(lambda _: 1 / 0)})
PANICKING = NAMELESS("Panicking", (), {"__repr__": lambda _: pytest.fail("a BaseException, as from Rust code")})()
VALUES = {
    "datetime": (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
    "uuid": (UUID(int=1), "00000000-0000-0000-0000-000000000001"), "decimal": (Decimal("1.10"), "1.10"),
    "bytes": (b"caf\xc3\xa9 \xff", "caf\u00e9 \\xff"), "set": ({1}, [1]), "frozenset": (frozenset({"a"}), ["a"]),
    "path": (Path("/a/b"), "/a/b"), "enum": (Colour.RED, "red"), "dataclass": (Point(1), {"x": 1}),
    "model": (Model(name="n"), {"name": "n"}), "exception": (ValueError("no"), "ValueError: no"),
    "nan": (math.nan, "nan"), "infinity": (-math.inf, "-inf"), "nested nan": ([{"a": math.nan}], [{"a": "nan"}]),
    "large integer": (2**70, str(2**70)), "lone surrogate": ("a\ud800", "a\\ud800"), "nul": ("a\0b", "a\\x00b"),
    "nul in a key": ({"a\0": 1}, {"a\\x00": 1}), "number as key": ({1: "a"}, {"1": "a"}),
    "tuple as key": ({(1, 2): "a"}, {"(1, 2)": "a"}), "none as key": ({None: "a"}, {"None": "a"}),
    "tuple": ((1, "a"), [1, "a"]), "text": ("na\u00efve \U0001f600", "na\u00efve \U0001f600"), "true": (True, True),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES.keys())
def test_every_value_becomes_readable_json(value: Any, expected: Any) -> None:
    """On the fast path, and beside a large integer on the slow one."""
    assert json_safe(value) == expected
    assert json_safe({"v": value, "big": 2**70}) == {"v": expected, "big": str(2**70)}
    assert EntryFactory().payload({"v": value}) == {"v": expected}


@pytest.mark.parametrize(
    ("make", "shown"),
    [(lambda: lambda: None, "<function"), (threading.Lock, "lock"), (lambda: (n for n in range(3)), "generator"),
     (Broken, "not readable"), (lambda: (items := dict[str, Any]()).setdefault("a", items), "deeper than"),
     (lambda: functools.reduce(lambda value, _: {"a": value}, range(10_000), {}), "deeper than"),
     (lambda: 10**5_000, "bits"), (lambda: {Broken(): 1}, "not readable"), (lambda: {"a": [Broken()]}, "not readable"),
     (lambda: {"a": [PANICKING], "b": "kept"}, "kept")],
    ids=["lambda", "lock", "generator", "broken", "circular", "deep", "huge integer", "key", "inside", "panicking"],
)  # fmt: skip
def test_a_value_that_json_cannot_express_is_described(make: Callable[[], Any], shown: str) -> None:
    """A description replaces circular, bottomless and unprintable values; nothing raises."""
    assert shown in encode_json(json_safe(make()))
    assert shown in encode_json(EntryFactory().payload({"value": make()}))


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interrupt_is_not_swallowed(interrupt: type[BaseException]) -> None:
    """Ctrl+C and cancellation may arrive while a value is read, and concern other code."""

    class Interrupted:
        def __str__(self) -> str:
            raise interrupt

    with pytest.raises(interrupt):
        readable(Interrupted())


def test_large_values_are_truncated_with_their_full_size_noted() -> None:
    """Ten megabytes of text, a million items, many large texts."""
    assert json_safe("x" * 10_000_000).endswith("... [truncated, 10000000 characters]")
    assert json_safe(list(range(1_000_000)))[-1] == "[truncated, 1000000 items]"
    many = json_safe({str(number): "x" * 9_000 for number in range(1_000)})
    assert len(encode_json(many)) < 60_000
    assert many["..."] == "[truncated, 1000 items]"
    assert len(EntryFactory(max_text=100).text("y" * 500)) < 200
    assert len(encode_json(json_safe([[0] * 1_000] * 1_000))) < 200_000
    assert len(encode_json(EntryFactory().payload({"k" * 10_000_000: 1}))) < 20_000


def test_safe_text_has_no_nul_and_no_lone_surrogate() -> None:
    """Databases reject them; a truncated text notes its full size."""
    assert safe_text("a\0\ud800\u00e9") == "a\\x00\\ud800\u00e9"
    assert safe_text("\0" * 9, max_text=2) == "\\x00\\x00... [truncated, 9 characters]"


def test_invalid_json_is_returned_as_text() -> None:
    """A stored text need not be JSON; reading it back does not fail."""
    assert decode_json("{broken") == {"text": "{broken"}
    assert decode_json(b"\xff{") == {"text": "\ufffd{"}
    assert encode_json({"a": {1, 2}, "b": Broken()}).startswith('{"a":[1,2]')
