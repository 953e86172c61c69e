"""Whole numbers in options and in the query parameters of the page."""

from __future__ import annotations

from contextlib import suppress


def whole_number(text: str, low: int, high: int) -> int:
    """Return a number within bounds; raise ValueError, whose message continues a sentence that begins with a name."""
    with suppress(ValueError):
        if low <= (number := int(text)) <= high:
            return number
    msg = f"must be between {low} and {high}, not {text!r}"
    raise ValueError(msg)
