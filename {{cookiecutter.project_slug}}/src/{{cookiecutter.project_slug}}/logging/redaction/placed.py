"""Redact secrets that their place gives away: in commands, files, addresses and sentences."""

import re

from .keys import Judge
from .long_words import LongWords
from .tables.places import PLACES
from .values import REDACTED, is_harmless, looks_random

_PATTERNS = [(row.hints, re.compile(row.pattern, re.VERBOSE)) for row in PLACES]
_LONG_WORDS = LongWords(length=16, of="_-.+/=~")
_WINDOW = 60
"""Characters before a random word in which its name is."""
_NAME = re.compile(
    r"""
    (?P<key> (?<![\w.-])[\w.-]{0,40}? (?: token | secret | password | passwd | passphrase | credential | bearer )
      | (?<! [a-z] ) (?! cache | foreign | hash | index | lookup | object | partition | primary | public | sort
          | the | this | unique )
        [a-z]{3,} (?P<separator>[ _-]?) key ) s?\b
    \\*+ ["'`)]?+
    (?: \s++ (?: is | was | are | to | for | of | the | a | my | your | our | as | with | using | value | here | set
      | now | new ) \b ){0,4}+
    \s*+ (?: [:=>\u2192-]{1,2}+ )?+ \s*+ \\*+ ["'`(<\[]?+ $
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""The name of a secret and a few words up to the secret: `the API key is `."""


def redact_places(text: str, is_secret: Judge, is_perhaps_secret: Judge) -> str:
    """Redact the secrets in places, and random words after the name of a secret."""

    def is_named(match: re.Match[str], value: str) -> bool:
        key = match.groupdict().get("key")
        return key is None or is_secret(key) or (is_perhaps_secret(key) and looks_random(value))

    def redact(match: re.Match[str]) -> str:
        name = next((group for group in ("secret", "quoted", "random") if match.groupdict().get(group)), None)
        if name is None or is_harmless(value := match[name]) or not is_named(match, value):
            return match[0]
        if name == "random" and not any(map(looks_random, re.split("[/@]", value))):
            return match[0]
        start, end = match.span(name)
        return f"{match.string[match.start() : start]}{REDACTED}{match.string[end : match.end()]}"

    text = _redact_named_words(text, is_secret)
    lower = text.lower()
    for hints, pattern in _PATTERNS:
        if any(hint in lower for hint in hints):
            text = pattern.sub(redact, text)
    return text


def _redact_named_words(text: str, is_secret: Judge) -> str:
    """Redact random words after the name of a secret: `the API key is 8fK2...`."""
    parts, done = list[str](), 0
    for start, end in _LONG_WORDS.spans(text):
        if not looks_random(text[start:end]):
            continue
        name = _NAME.search(text, max(start - _WINDOW, 0), start)
        if name is not None and (name["separator"] or is_secret(name["key"])):
            parts += (text[done:start], REDACTED)
            done = end
    return "".join((*parts, text[done:]))
