"""Find long words in a text, many times faster than a regular expression does."""

import re
import string
import sys
from collections.abc import Iterable, Iterator

NONE = re.compile(r"(?!)")
"""A pattern that matches nothing."""
UUID = "00000000-0000-0000-0000-000000000000"
"""The shape of a UUID: 0 for each hexadecimal digit."""


class LongWords:
    """Find words of at least so many letters, digits and other characters, and what is joined to them."""

    def __init__(
        self, *, length: int, of: str, joined_by: str = "", but_not: re.Pattern[str] = NONE, but_not_alone: str = ""
    ) -> None:
        """Leave out words that match `but_not`, unless it is by its group `alone` and the word is joined to others.

        Leave out words of the shape `but_not_alone` as well, without a search for each: most long words are UUIDs.
        """
        self._length = length
        self._needle = b"a" * length
        self._word = _letters(of)
        self._joined = _letters(of + joined_by)
        self._zeros = _zeros(of + joined_by)
        self._signs = joined_by.encode()
        self._but_not = but_not
        self._shape = f" {but_not_alone} ".encode()
        self._blank = b" " * len(self._shape)
        self._hyphens = but_not_alone.count("-") or sys.maxsize

    def spans(self, text: str) -> Iterable[tuple[int, int]]:
        """Return the start and the end of each long word with what is joined to it."""
        if len(text) < self._length:
            return ()
        data = text.encode("ascii", "replace")
        may_have_shape = "-" in text and text.count("-") >= self._hyphens
        words = (self._without_shape(data) if may_have_shape else data).translate(self._word)
        return self._spans(text, data + b" ", words + b" ") if self._needle in words else ()

    def _spans(self, text: str, data: bytes, words: bytes) -> Iterator[tuple[int, int]]:
        joined, end = b"", 0
        while (found := words.find(self._needle, end)) >= 0:
            start, end = words.rfind(b" ", 0, found) + 1, words.find(b" ", found)
            left_out = self._but_not.fullmatch(text, start, end)
            if left_out is not None and (left_out.lastgroup != "alone" or not self._is_joined(data, start, end)):
                continue
            joined = joined or data.translate(self._joined)
            start, end = joined.rfind(b" ", 0, found) + 1, joined.find(b" ", found)
            yield start, end

    def _without_shape(self, data: bytes) -> bytes:
        return data.translate(self._zeros).replace(self._shape, self._blank)

    def _is_joined(self, data: bytes, start: int, end: int) -> bool:
        return data[end] in self._signs or data[start - 1] in self._signs  # the last character is a blank


def _letters(characters: str) -> bytes:
    """Return a table that turns letters, digits and these characters into an a and all others into a blank."""
    known = f"{string.ascii_letters}{string.digits}{characters}".encode()
    return bytes(ord("a") if code in known else ord(" ") for code in range(256))


def _zeros(signs: str) -> bytes:
    """Return a table that turns hexadecimal digits into a 0, keeps letters and signs, and turns others into a blank."""
    known = f"{string.ascii_letters}{signs}".encode()
    return bytes(
        ord("0") if code in b"0123456789abcdef" else code if code in known else ord(" ") for code in range(256)
    )
