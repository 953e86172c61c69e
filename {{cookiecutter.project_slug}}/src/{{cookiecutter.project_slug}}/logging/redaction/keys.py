"""Decide by its name whether a key has a secret value. The last word of a name counts most."""

import re
from collections.abc import Callable, Iterable, Iterator

from .tables.key_words import (
    ANYWHERE,
    ASKING,
    AT_THE_END,
    DESCRIBING,
    IF_RANDOM,
    NEUTRAL_ENDINGS,
    WITH_ID,
    KeyWord,
    either,
)

Judge = Callable[[str], bool]
"""What tells whether a key of this name has a secret value."""
_DIGITS = "_0123456789"
_SPLITS = (
    re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"),  # dbPassword, DB_PASSWORD, API-Key
    re.compile(r"[\W_]+"),  # PASSword
)
"""Two ways to split a key into words: capital letters begin a word, or they mean nothing."""


def _any_of(words: Iterable[KeyWord]) -> str:
    return "|".join(word.pattern for word in words)


_WITH_ID = re.compile(f"(?:{_any_of(WITH_ID)})$")
_HARMLESS = re.compile(f"^_(?:{either(ASKING)})_|_(?:{either(' '.join(DESCRIBING.values()))})_$")
_SECRET = re.compile(f"{_any_of(ANYWHERE)}|(?:{_any_of(AT_THE_END)})(?:(?:{either(NEUTRAL_ENDINGS)})_)?$")
_IF_RANDOM = re.compile(f"(?:{_any_of(IF_RANDOM)})$")


def is_secret_key(key: str) -> bool:
    """Return whether a key of this name has a secret value."""
    return any(map(_is_secret, _readings(key)))


def is_perhaps_secret_key(key: str) -> bool:
    """Return whether a key of this name has a secret value if the value looks random."""
    return any(_IF_RANDOM.search(words) and not _HARMLESS.search(words) for words in _readings(key))


def squash(key: str) -> str:
    """Return the letters and digits of a key in lower case, so that all styles of a name are equal."""
    return re.sub(r"[\W_]+", "", key.lower())


def _is_secret(words: str) -> bool:
    if _WITH_ID.search(words):
        return True
    return not _HARMLESS.search(words) and _SECRET.search(words) is not None


def _readings(key: str) -> Iterator[str]:
    """Return the words of a key between underscores, in lower case and without a final number: `_db_password_`."""
    for split in _SPLITS:
        words = "_".join(filter(None, split.split(key))).lower()
        yield f"_{words.rstrip(_DIGITS)}_"
