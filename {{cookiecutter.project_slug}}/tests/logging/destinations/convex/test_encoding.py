"""Entries become documents that Convex accepts, and documents become entries again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.convex.encoding import (
    MAX_DOCUMENT,
    NAMES,
    decode_document,
    encode_requests,
    original_key,
    safe_key,
)
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES, JSON_FIELDS

from .convex_helpers import documents

FUNCTIONS = Path(__file__).parents[4] / "convex"


def test_the_schema_of_the_functions_has_every_field() -> None:
    """Convex rejects an entry with a field that the schema lacks."""
    declared = re.findall(r"^  (\w+): ", (FUNCTIONS / "entry.ts").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared == [NAMES[name] for name in FIELD_NAMES]


@pytest.mark.parametrize("key", ["", "_id", "$set", "größe", "100%", "%41", "%", "a\nb", 'a"b\\', "\x7f", "名前", "ok"])
def test_any_key_can_be_stored_and_read_back(key: str) -> None:
    """Convex accepts printable ASCII that does not begin with $ or _."""
    assert re.fullmatch(r"(?![$_])[\x20-\x7e]+", safe_key(key))
    assert original_key(safe_key(key)) == key
    entry = make_entry(input_args={"deep": [{key: {key: 1}}]})
    (document,) = documents(entry)
    assert document["inputArgs"]["deep"][0] == {safe_key(key): {safe_key(key): 1}}
    assert decode_document(document) == entry


def test_a_valid_key_is_stored_unchanged() -> None:
    """Only keys that Convex rejects are encoded."""
    assert [safe_key(key) for key in ("a_b", "a$", "x.y", "a b", "50%")] == ["a_b", "a$", "x.y", "a b", "50%"]


def test_long_keys_are_cut_and_stay_distinct() -> None:
    """Two keys with the same beginning remain two."""
    (document,) = documents(make_entry(extra_data={"k" * 2_000: 1, "k" * 2_000 + "l": 2, "ü" * 900: 3}))
    assert sorted(document["extraData"].values()) == [1, 2, 3]
    assert all(len(key) <= 1_024 for key in document["extraData"])


def test_a_field_without_a_value_is_absent() -> None:
    """Convex rejects null in optional fields; a value inside an object may be null."""
    (document,) = documents(make_entry(duration_ms=float("nan"), input_args={"a": None}))
    assert set(document) == {"correlationId", "timestamp", "level", "logType", "message", "inputArgs", "entryId"}
    assert document["inputArgs"] == {"a": None}


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (2**53, 2**53),
        (2**53 + 1, str(2**53 + 1)),
        (-(2**63), str(-(2**63))),
        (2**80, str(2**80)),
        (float("inf"), None),
        ("\ud800", "\\ud800"),
        ({1: 2}, {"1": 2}),
        (1.5, 1.5),
    ],
)
def test_a_value_that_convex_cannot_store_becomes_text(value: object, stored: object) -> None:
    """Integers that a double would round, values that JSON lacks, and keys that are not text."""
    (document,) = documents(make_entry(extra_data={"value": value}))
    assert document["extraData"]["value"] == stored


def test_deep_wide_and_long_values_are_cut_to_the_limits() -> None:
    """16 levels, two of them for the request; 1,024 keys; 8,192 elements."""
    deep: object = "bottom"
    for _ in range(30):
        deep = [deep]
    wide = {f"k{number}": number for number in range(3_000)}
    (document,) = documents(make_entry(extra_data={"deep": deep, "wide": wide, "long": list(range(9_000))}))
    extra = document["extraData"]
    assert len(extra["wide"]) == 1_024
    assert extra["wide"]["..."] == "[truncated, 3000 items]"
    assert len(extra["long"]) == 8_192
    value, levels = extra["deep"], 2
    while isinstance(value, list):
        value, levels = value[0], levels + 1
    assert levels == 14
    assert json.loads(value) == json.loads("[" * 18 + '"bottom"' + "]" * 18)


@pytest.mark.parametrize(
    "values",
    [
        {"message": "x" * 3_000_000},
        {"message": "é" * 3_000_000},
        {"input_args": {"a": "x" * 3_000_000}, "extra_data": {"kept": 1}},
        {"input_args": {f"k{number}": list(range(1_000)) for number in range(1_000)}},
        {"input_args": {"a": "x" * 900_000, "b": "y" * 900_000}, "output_summary": "z" * 900_000},
        {name: {f"k{number}": [-1.2345678901234567e-300] * 1_000 for number in range(100)} for name in JSON_FIELDS},
    ],
)
def test_an_oversized_entry_is_trimmed_and_marked(values: dict[str, Any]) -> None:
    """Convex rejects documents over 1 MiB; a number takes nine bytes."""
    entry = make_entry(**values)
    ((_, logs),) = encode_requests([entry])
    (document,) = orjson.loads(logs)
    assert len(logs) + 8 * logs.count(b",") <= MAX_DOCUMENT
    assert document["entryId"] == entry.entry_id
    assert document["extraData"]["trimmed"] > 1_000_000
    assert b"[truncated, " in logs


def test_a_batch_is_split_by_size() -> None:
    """The requests contain each entry once, in order, and none is larger than a document may be."""
    entries = [make_entry("x" * 10_000) for _ in range(500)]
    requests = list(encode_requests(entries))
    assert [entry for part, _ in requests for entry in part] == entries
    assert all(len(logs) <= MAX_DOCUMENT for _, logs in requests)
