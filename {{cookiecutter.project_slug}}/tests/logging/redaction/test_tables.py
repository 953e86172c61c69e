"""Each row of redaction's tables redacts its example, wherever it is, and leaves its counterexample alone."""

from __future__ import annotations

import json
import random
import re
from itertools import product

import pytest
from secret_samples import LONG_TEXT, PAIRS, PLACEMENTS, fill, is_hidden

from {{cookiecutter.project_slug}}.logging.redaction import REDACTED, Redactor
from {{cookiecutter.project_slug}}.logging.redaction.tables import ISSUED_KEYS, KEY_WORDS, PLACES
from {{cookiecutter.project_slug}}.logging.redaction.tables.key_words import IF_RANDOM, KeyWord
from {{cookiecutter.project_slug}}.logging.redaction.tables.row import Row

REDACTOR = Redactor()
SIGNS = ("=", " = ", "  =  ", ":", ": ", " : ", ":=", " := ", "=>", "  => ", "==", '": "', "': '", '\\": \\"', '"] = "')
"""What stands between a key and its value."""
CERTAIN = [row for row in KEY_WORDS if row not in IF_RANDOM]


def words_of(row: KeyWord) -> list[str]:
    """Return the words of a row, without what is optional in them."""
    return [re.sub(r"\w\?", "", words) for words in row.words.split()]


def names(row: Row | KeyWord) -> str:
    """Return what pytest calls a row."""
    return row.name


@pytest.mark.parametrize("row", ISSUED_KEYS, ids=names)
def test_the_key_of_an_issuer_is_redacted_everywhere(row: Row) -> None:
    """Also where nothing near it says what it is; what surrounds it survives."""
    secret = fill(row.example, random.Random(row.name))
    for placement in PLACEMENTS.values():
        text = placement(secret)
        assert REDACTOR.suspects(text)
        assert REDACTOR.text(text) == text.replace(secret, REDACTED)


@pytest.mark.parametrize("row", ISSUED_KEYS, ids=names)
def test_a_word_like_the_key_of_an_issuer_survives(row: Row) -> None:
    """A prefix alone, or a name that begins with it."""
    text = f"see {row.survives} for more"
    assert REDACTOR.text(text) == text


@pytest.mark.parametrize("row", PLACES, ids=names)
def test_a_secret_is_redacted_in_its_place(row: Row) -> None:
    """In a short text and in a long one; a similar place without a secret survives."""
    example = fill(row.example, random.Random(row.name))
    for before in ("before ", LONG_TEXT):
        shown = REDACTOR.text(f"{before}{example}")
        assert shown.startswith(before)
        assert REDACTED in shown
    assert REDACTOR.text(row.survives) == row.survives


@pytest.mark.parametrize("row", CERTAIN, ids=names)
def test_the_value_of_a_key_is_redacted_in_every_pair(row: KeyWord) -> None:
    """In text and in JSON values, whatever the value is."""
    for secret in (fill("{a12}7", random.Random(row.name)), "hunter2"):
        for pair in PAIRS.values():
            text = pair(row.example, secret)
            assert REDACTOR.suspects(text)
            assert is_hidden(secret, REDACTOR.text(text)), REDACTOR.text(text)
        assert is_hidden(secret, str(REDACTOR.value({"first": [{row.example: secret}]})))
        assert is_hidden(secret, str(REDACTOR.value({"name": row.example, "value": secret})))


@pytest.mark.parametrize("row", IF_RANDOM, ids=names)
def test_a_random_value_of_a_key_that_may_be_secret_is_redacted(row: KeyWord) -> None:
    """In an address, a pair and a JSON value."""
    secret = fill("a1B2{a20}", random.Random(row.name))
    for pair in (PAIRS["line"], PAIRS["query"]):
        assert is_hidden(secret, REDACTOR.text(pair(row.example, secret)))
    assert is_hidden(secret, str(REDACTOR.value({"first": [{row.example: secret}]})))


@pytest.mark.parametrize("row", KEY_WORDS, ids=names)
def test_the_cheap_search_misses_no_pair(row: KeyWord) -> None:
    """Whatever the slow patterns redact is suspected before, with each word, sign and plural."""
    secret, missed = fill("a1B2{a20}", random.Random(row.name)), list[str]()
    for word, end, sign in product(words_of(row), ("", "s", "1", "_2"), SIGNS):
        for key in (word, f"my_{word}", word.replace("_", "-"), word.replace("_", "").upper()):
            text = f"{key}{end}{sign}{secret}"
            if REDACTOR.text(f"\0{text}") != f"\0{text}" and not REDACTOR.suspects(text):  # NUL is always suspected
                missed.append(text)
    assert missed == []


@pytest.mark.parametrize("row", KEY_WORDS, ids=names)
def test_the_value_of_a_key_that_only_sounds_secret_survives(row: KeyWord) -> None:
    """In JSON values and in text."""
    assert not REDACTOR.is_secret(row.survives)
    for text in (f"{row.survives}=first", f"{row.survives}: first", json.dumps({row.survives: "first"})):
        assert REDACTOR.text(text) == text
    assert REDACTOR.value({row.survives: "first"}) == {row.survives: "first"}


@pytest.mark.parametrize("row", IF_RANDOM, ids=names)
def test_an_ordinary_value_of_a_key_that_may_be_secret_survives(row: KeyWord) -> None:
    """`key=name`, `code: 404`."""
    for text in (f"{row.example}=name", f"{row.example}: 404", f'{row.example} = "user_name_of_the_2nd_account"'):
        assert REDACTOR.text(text) == text
