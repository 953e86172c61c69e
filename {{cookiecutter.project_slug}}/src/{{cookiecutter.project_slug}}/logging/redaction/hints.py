"""The cheap first search, which passes most texts: made from the rows of the tables, so that none is forgotten."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .tables.key_words import ANYWHERE, AT_THE_END, IF_RANDOM, VALUES, WITH_ID
from .tables.places import PLACES

_RARE = "\0%$*=qjkbpc:"
"""Characters at which the search looks, the rarest first. A word without any of them is searched for by itself."""
_PARTED = r"[\W_]*+"
"""What may separate the parts of a key."""
_LAST = rf"s?(?!_?(?!{'|'.join(VALUES.split())})[a-z])"
"""The end of a key, or one more word that changes nothing."""
_RANDOM = r"[^\w\s]{0,4}\s?[:=]\s?[^\w\s]{0,4}[\w+/~%.:-]{16}"
"""The end of a key, what separates it from its value, and the start of a value that may be random."""


KEY = "(?P<key>"
"""What the pattern of a place contains that is recognised by its key, so that the key is the hint."""


_LITERAL = re.compile(r"(?:\w|\\\W|[/:=])(?![?*+{])")


_SHORT = 256


class Hint(NamedTuple):
    """A word in lower case, and a pattern for what follows."""

    word: str
    rest: str = ""


def hints_of_keys() -> Iterator[Hint]:
    """Return the hints of all key words."""
    for rows, end in ((ANYWHERE, ""), (WITH_ID, ""), (AT_THE_END, _LAST), (IF_RANDOM, _RANDOM)):
        for row in rows:
            for words in row.words.split():
                parts = re.sub(r"\w\?", "", words).split("_")  # without s?
                first = min(range(len(parts)), key=lambda index: _rarity(parts[index])[0])
                rest = "".join(f"{_PARTED}{part}" for part in parts[first + 1 :])
                hint = Hint(parts[first], f"{_after(parts[:first], parts[first])}{rest}{end}")
                is_common = rows is IF_RANDOM and _rarity(hint.word)[0] == len(_RARE)
                yield Hint(f"{hint.word}=") if is_common else hint


def hints_of_places() -> Iterator[Hint]:
    """Return the hints of places without a key, and of all that is recognised in other ways."""
    yield from (Hint(word) for row in PLACES if KEY not in row.pattern for word in row.hints)
    yield from map(Hint, ("put_value=", "%3a%2f%2f", "\0"))
    yield from (Hint(scheme, r"[\s\\%]") for scheme in ("bearer", "basic"))
    yield Hint("://", r"(?:[^\s:/@]*+(?!:\d{1,5}(?:[/\"'\s]|\Z)))[:@]")


class Hints:
    """Search a text in lower case for hints."""

    def __init__(self, hints: Iterable[Hint], extra_keys: Iterable[str]) -> None:
        """Look for hints, and for extra keys in any style."""
        rests: defaultdict[str, set[str]] = defaultdict(set)
        for word, rest in hints:
            stem = "auth" if word.startswith("auth") else word
            rests[stem].add(re.escape(word.removeprefix(stem)) + rest)
        needed = [Hint(word, "" if "" in rest else _either(sorted(rest))) for word, rest in sorted(rests.items())]
        rare = [_from_rare_character(hint) for hint in needed if _rarity(hint.word)[0] < len(_RARE)]
        common = [(word, re.escape(word) + rest) for word, rest in needed if _rarity(word)[0] == len(_RARE)]
        patterns = [*_grouped(rare), *common]
        patterns += [("", _PARTED.join(map(re.escape, key))) for key in extra_keys]
        self._searches = [(text, re.compile(pattern).search) for text, pattern in patterns]
        self._search = re.compile("|".join(pattern for _, pattern in patterns)).search

    def found_in(self, text: str) -> bool:
        """Return whether a text has a hint."""
        if len(text) < _SHORT:
            return self._search(text) is not None
        for word, search in self._searches:  # noqa: SIM110 - a generator takes 1 us more
            if word in text and search(text) is not None:
                return True
        return False


def _after(parts: list[str], word: str) -> str:
    """Return a pattern that matches after a word if other parts of a key precede it."""
    if not parts:
        return ""
    before = "".join(parts)
    return f"(?:(?<={before}{word})|(?<={before}[\\W_]{word}))"


def _rarity(word: str) -> tuple[int, str]:
    """Return the rank of the rarest character of a word, and the character."""
    return min((_RARE.find(char) % (len(_RARE) + 1), char) for char in word)


def _from_rare_character(hint: Hint) -> tuple[str, str]:
    """Return the rarest character of a hint, and a pattern for what surrounds it."""
    word, rest = hint
    _, char = _rarity(word)
    before, _, after = word.partition(char)
    return char, f"{re.escape(after)}{f'(?<={re.escape(word)})' if before else ''}{rest}"


def _grouped(patterns: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Return a pattern per rare character, with what follows grouped by its first character: twice as fast as one."""
    groups: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for char, pattern in patterns:
        second = _LITERAL.match(pattern)
        groups[char][second[0] if second else ""].append(pattern[second.end() if second else 0 :])
    for char, group in groups.items():
        yield char, re.escape(char) + _either(second + _either(rest) for second, rest in group.items())


def _either(patterns: Iterable[str]) -> str:
    patterns = list(patterns)
    return patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(patterns)})"
