"""The cheap first search, which passes most texts: made from the rows of the tables, so that none is forgotten."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from .tables.issuers import ISSUED_KEYS
from .tables.key_words import ANYWHERE, AT_THE_END, IF_RANDOM, NEUTRAL_ENDINGS, WITH_ID, either
from .tables.places import PLACES
from .tables.row import any_of

_RARE = "\0@%*=5qjkbpc"
"""Characters at which the search looks, the rarest first. A word without any of them is searched for by itself."""
_RARE_IN_SHORT = f"{_RARE}ud"
"""The same for a short text: there, a word of common characters takes longer than a rare character."""
_SHORT = 256
"""Characters up to which one search for all hints is faster than one per rare character."""
_SEPARATORS = r"[\W_]*+"
"""What may separate the parts of a key."""
_LAST = rf"s?(?!_?(?!{either(NEUTRAL_ENDINGS)})[a-z])"
"""The end of a key, or one more word that changes nothing."""
_AFTER_KEY = "[^abefgijk-oqrtuw-z]"
"""What may follow a key: no letter, or the first one of a plural, `code`, `data`, `header`, `phrase` and so on."""
_UP_TO_RANDOM = r"[\d_]*+[^\w\s]{0,4}\s*[:=][^\w\s]?\s*[^\w\s]{0,4}[\w+/~%.:-]{16}"
"""The end of a key, what separates it from its value, and the start of a value that may be random."""
_HAS_KEY = "(?P<key>"
"""What the pattern of a place contains if a key gives the place away; then the key is the hint."""
_LITERAL = re.compile(r"(?:\w|\\\W|[/:=])(?![?*+{])")
"""The first character of a pattern, if it is the same in every match."""


class Hint(NamedTuple):
    """A word in lower case, and a pattern for what follows it."""

    word: str
    rest: str = ""


_LOGIN = Hint("@", r"://(?:[^\s:/@]*+(?!:\d{1,5}(?:[/\"'\s]|\Z)))[:@]")
"""A login in an address, but no port."""
_ESCAPE = Hint("\\")
"""An escaped character, behind which an extra key may hide."""


class Hints:
    """Search a text in lower case for hints."""

    def __init__(self, extra_keys: Collection[str]) -> None:
        """Look for all that the tables contain, and for extra keys in any style."""
        extra = [Hint("", _SEPARATORS.join(map(re.escape, key))) for key in extra_keys]
        in_long, in_short = ([*_searches(rare, [_ESCAPE] if extra else []), *extra] for rare in (_RARE, _RARE_IN_SHORT))
        self._searches = [(needle, re.compile(pattern).search) for needle, pattern in in_long]
        self.search_short = re.compile("|".join(pattern for _, pattern in in_short)).search

    def found_in(self, text: str) -> bool:
        """Return whether a text has a hint."""
        if len(text) < _SHORT:
            return self.search_short(text) is not None
        for needle, search in self._searches:  # noqa: SIM110 - a generator takes 1 us more
            if needle in text and search(text) is not None:
                return True
        return False


def _searches(rare: str, more: Iterable[Hint]) -> Iterator[Hint]:
    """Return what to look for, rare characters and words, each with the pattern to search for if it is found."""
    hints = _without_repeats([*_hints_of_keys(rare), *_hints_of_places(), *more])
    yield from _by_rare_character(hints, rare)
    yield from (Hint(word, re.escape(word) + rest) for word, rest in hints if _is_common(word, rare))
    yield _LOGIN


def _hints_of_keys(rare: str) -> Iterator[Hint]:
    """Return the hints of all key words."""
    for rows, end in ((ANYWHERE, ""), (WITH_ID, ""), (AT_THE_END, _LAST)):
        for row in rows:
            yield from (_hint_of(words, end, rare) for words in row.words.split())
    for row in IF_RANDOM:
        yield from (_hint_of(words, _UP_TO_RANDOM, rare) for words in row.words.split())


def _hints_of_places() -> Iterator[Hint]:
    """Return the hints of places without a key, of forms without a long word, and of all other patterns."""
    yield from (Hint(word) for row in ISSUED_KEYS for word in row.hints)
    yield from (Hint(word) for row in PLACES if _HAS_KEY not in row.pattern for word in row.hints)
    yield from (Hint(scheme, r"[\s\\%]") for scheme in ("bearer", "basic"))
    yield Hint("%3a%2f%2f")  # the same, percent-encoded
    yield Hint("put_value=")  # an error of pydantic
    yield Hint("\0")  # destinations reject NUL


def _hint_of(words: str, end: str, rare: str) -> Hint:
    """Return the rarest part of a key as a hint, with what precedes and follows it."""
    parts = re.sub(r"\w\?", "", words).split("_")  # without s?
    index = min(range(len(parts)), key=lambda index: _rank(parts[index], rare))
    before, word = "".join(parts[:index]), parts[index]
    is_after = f"(?:(?<={before}{word})|(?<={before}[\\W_]{word}))" if before else ""
    return Hint(word, f"{is_after}{''.join(f'{_SEPARATORS}{part}' for part in parts[index + 1 :])}{end}")


def _without_repeats(hints: Iterable[Hint]) -> list[Hint]:
    """Merge hints that begin with the same word: one for `auth` and `authorization`."""
    rests: dict[str, list[str]] = {}
    for word, rest in sorted(set(hints)):
        stem = next((known for known in rests if word.startswith(known)), word)
        rests.setdefault(stem, []).append(re.escape(word.removeprefix(stem)) + rest)
    return [Hint(word, "" if "" in known else any_of(known)) for word, known in rests.items()]


def _rank(word: str, rare: str) -> int:
    """Return the rank of the rarest character of a word; that of a common one is the last rank."""
    return min(rare.find(char) % (len(rare) + 1) for char in word)


def _is_common(word: str, rare: str) -> bool:
    return _rank(word, rare) == len(rare)


def _by_rare_character(hints: Iterable[Hint], rare: str) -> Iterator[Hint]:
    """Return a pattern per rare character, with what follows grouped by its first character: twice as fast as one."""
    groups: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for word, rest in (hint for hint in hints if not _is_common(hint.word, rare)):
        char = rare[_rank(word, rare)]
        before, _, after = word.partition(char)
        pattern = f"{re.escape(after)}{f'(?<={re.escape(word)})' if before else ''}{rest}"
        if not after and rest == _LAST:  # twice as fast as a look behind at each character
            pattern = f"{_AFTER_KEY}(?<={re.escape(word)}(?s:.))"
        first = _LITERAL.match(pattern)
        groups[char][first[0] if first else ""].append(pattern[first.end() if first else 0 :])
    for char, group in groups.items():
        yield Hint(char, re.escape(char) + any_of(first + any_of(rest) for first, rest in group.items()))
