"""Words of the command line, compared with those that are known."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` for the most similar known word, or an empty string."""
    names = list(known)
    parts = [name for name in names if name.startswith(word) or name.endswith(word)]
    near = parts or get_close_matches(word, names, n=1)
    return f"; did you mean {near[0]}?" if near else ""
