"""Recognise sentences and verdicts after a key: `Password: must be set`, `token: invalid`."""

import re

_FEW = 12
"""Words of a text that are looked at."""
SHORT_NUMBER = 3
"""Digits of the longest number that is part of a sentence rather than a secret."""
_SIGNS = "()[].,;:!?'\"`*"
_WORD = re.compile(r"[A-Za-z][a-z]*(?:['\u2019-][A-Za-z]?[a-z]*)?|[A-Z]{2,}")
_MIXED = re.compile(r"(?=\S*[A-Za-z])\S*\d|\S*[^\s\w.,;:!?'\"()\[\]/`*\u2019-]")
"""A word with a digit or a sign that prose does not have."""
_VERDICT_WORDS = """
absent accepted bad corrupt deleted denied disabled empty enabled error expected expired fail failed failure found
ignored incorrect invalid malformed mandatory mismatch missing none ok optional passed pending present provided read
refused rejected removed required revoked set skipped success succeeded unauthorized unavailable unchanged
unexpected unknown unset unsupported updated valid verified wrong
"""
_VERDICTS = frozenset(_VERDICT_WORDS.split())
_PROSE_WORDS = """
a about after again all an and any api are argument as at authentication be been before between both but by can
cannot characters contains could default did do does each either field for from has have header how if in into is it
its least may more most must name need no not object of on one only or our password passwords per please secret
should string than that the their them then there these they this those to token tokens type use used user username
uses using value was we were what when where whether which while who will with without would you your
"""
_PROSE = frozenset(_PROSE_WORDS.split())
"""Words that passphrases do not have."""


def is_prose(text: str) -> bool:
    """Return whether the text after a key is a sentence or a verdict: `must be set`, `invalid`, `3 found`."""
    words = text.split(maxsplit=_FEW)[:_FEW]
    if len(words) <= 1:
        return any(word.strip(_SIGNS).lower() in _VERDICTS for word in words)
    plain = [word.strip(_SIGNS).lower() for word in words]
    if not _can_begin(words) or any(map(_MIXED.match, words)):
        return False
    return any(word in _PROSE or word in _VERDICTS for word in plain)


def _can_begin(words: list[str]) -> bool:
    first = words[0].strip(_SIGNS)
    return _WORD.fullmatch(first) is not None or (first.isdecimal() and len(first) <= SHORT_NUMBER)
