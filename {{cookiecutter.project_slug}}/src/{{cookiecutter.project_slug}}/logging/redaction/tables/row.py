"""The row of a table."""

from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """A form of secrets, or a place where secrets are found.

    In an example, `{a20}` stands for 20 random characters: a letters and digits, b base64, d digits, h hexadecimal,
    l small letters and digits, u capital letters and digits, w letters, digits, `_` and `-`.
    """

    name: str
    pattern: str
    example: str
    """A text with a secret."""
    survives: str
    """A similar text without one."""
    hints: tuple[str, ...] = ()
    """Texts in lower case of which each match contains one. A form needs them only if it may have no long word."""


def any_of(patterns: Iterable[str]) -> str:
    """Return a pattern for any of the patterns."""
    patterns = list(patterns)
    return patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(patterns)})"
