"""Find long words in a text, many times faster than a regular expression does."""

import re
import string
from collections.abc import Iterable, Iterator

_NUMBER = re.compile("[0-9a-f]+(?:(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?")
"""A hash or a UUID."""
_NAME = re.compile(
    r"[a-z]++(?:[_-]+[a-z]++)*+"  # sk-learn-contrib-package
    r"|_*+[A-Za-z0-9]{1,11}+(?:_+[A-Za-z0-9]{1,11}+)++_*+"  # X509_CERTIFICATE_new
    r"|[a-z]*+(?:[A-Z]++[a-z]++)++"  # BufferedIncrementalDecoder
)
"""A name of short words; no key of an issuer is one."""


class LongWords:
    """Find words of at least so many letters, digits and other characters, and what is joined to them."""

    def __init__(self, *, length: int, of: str, joined_by: str = "") -> None:
        self._length = length
        self._needle = b"a" * length
        self._word = _classes(of)
        self._joined = _classes(of + joined_by)
        self._signs = joined_by.encode()

    def spans(self, text: str) -> Iterable[tuple[int, int]]:
        """Return the start and the end of each long word with what is joined to it, except hashes, UUIDs and names."""
        if len(text) < self._length:
            return ()
        data = text.encode("ascii", "replace") + b" "
        words = data.translate(self._word)
        return self._spans(text, data, words) if self._needle in words else ()

    def _spans(self, text: str, data: bytes, words: bytes) -> Iterator[tuple[int, int]]:
        joined, end = b"", 0
        while (found := words.find(self._needle, end)) >= 0:
            start, end = words.rfind(b" ", 0, found) + 1, words.find(b" ", found)
            if _NAME.fullmatch(text, start, end) is not None:
                continue
            if _NUMBER.fullmatch(text, start, end) is not None and not self._is_joined(data, start, end):
                continue
            joined = joined or data.translate(self._joined)
            start, end = joined.rfind(b" ", 0, found) + 1, joined.find(b" ", found)
            yield start, end

    def _is_joined(self, data: bytes, start: int, end: int) -> bool:
        return data[end] in self._signs or (start > 0 and data[start - 1] in self._signs)


def _classes(characters: str) -> bytes:
    """Return a table that turns letters, digits and these characters into an a and all others into a blank."""
    known = f"{string.ascii_letters}{string.digits}{characters}".encode()
    return bytes(ord("a") if code in known else ord(" ") for code in range(256))
