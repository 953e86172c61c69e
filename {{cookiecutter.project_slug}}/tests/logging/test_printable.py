"""No logged value can move the cursor, forge a line or reverse the text on a terminal."""

from __future__ import annotations

import json

import pytest

from {{cookiecutter.project_slug}}.logging.printable import printable, printable_json, readable

HARMFUL = {
    "escape": ("\x1b[31mred", "\\x1b[31mred"),
    "line end": ("a\r\nb", "a\\r\\nb"),
    "direction": ("abc\u202etxt", "abc\\u202etxt"),
    "line separator": ("a\u2028b", "a\\u2028b"),
    "lone surrogate": ("a\udcff", "a\\udcff"),
}


@pytest.mark.parametrize(("text", "shown"), HARMFUL.values(), ids=HARMFUL)
def test_harmful_characters_are_escaped(text: str, shown: str) -> None:
    """As in a Python literal; in JSON as JSON escapes, so that the value stays the same."""
    assert printable(text) == shown
    encoded = printable_json(json.dumps(text, ensure_ascii=False))
    assert encoded.isprintable()
    assert json.loads(encoded) == text


@pytest.mark.parametrize("text", ["plain", "na\u00efve \U0001f600", "\u4f60\u597d", ""])
def test_readable_text_of_any_language_stays(text: str) -> None:
    """Letters, emoji and spaces are shown."""
    assert printable(text) == printable_json(text) == text


def test_a_character_outside_the_first_plane_becomes_a_surrogate_pair_in_json() -> None:
    """An unassigned one is not printable, and JSON has only four-digit escapes."""
    assert printable_json('"\U000e0001"') == '"\\udb40\\udc01"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("caf\u00e9", "caf\u00e9"),
        ("caf\udcc3\udca9", "caf\u00e9"),
        ("caf\udce9", "caf\ufffd"),
        ("\udc41 \ud800", "? ?"),
    ],
)
def test_bytes_that_the_locale_cannot_decode_are_read_as_utf_8(text: str, expected: str) -> None:
    """Python passes them on as surrogates, one per byte; other surrogates stand for no byte."""
    assert readable(text) == expected
