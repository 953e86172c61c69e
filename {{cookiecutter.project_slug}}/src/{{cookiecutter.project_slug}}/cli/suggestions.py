"""Words of the command line: as readable text, and compared with those that are known."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def readable(word: str) -> str:
    """Return a word as text; bytes that the locale cannot decode are read as UTF-8, or replaced if they are not."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return os.fsencode(word).decode("utf-8", "replace")
    return word


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the most similar known word, or an empty string."""
    names = list(known)
    parts = [name for name in names if name.startswith(word) or name.endswith(word)]
    near = parts or get_close_matches(word, names, n=1)
    return f"; did you mean {near[0]}?" if near else ""
