"""Whole numbers that people write: in options, and in the addresses of the page."""

from __future__ import annotations

from contextlib import suppress


def whole_number(text: str, low: int, high: int) -> int:
    """Return the number, within these bounds; raise ValueError with what a sentence says of it after its name."""
    with suppress(ValueError):
        if low <= (number := int(text)) <= high:
            return number
    msg = f"must be between {low} and {high}, not {text!r}"
    raise ValueError(msg)
