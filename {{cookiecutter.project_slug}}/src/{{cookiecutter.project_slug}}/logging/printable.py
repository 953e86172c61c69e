"""Decode what the system passes on undecoded, and escape characters that a terminal would interpret."""

from __future__ import annotations

import json
import re

_NOT_ASCII = re.compile(r"[^ -~]")


def readable(text: str) -> str:
    """Return text without surrogates, by which Python passes on bytes that the locale cannot decode.

    They are read as UTF-8, and replaced if they are not.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return _bytes_of(text).decode("utf-8", "replace")
    return text


def _bytes_of(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate from an escape in a file stands for no byte
        return text.encode("utf-8", "replace")


def printable(text: str) -> str:
    """Return text without characters that move the cursor, end the line or change the writing direction."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def printable_json(text: str) -> str:
    """Return equivalent JSON text without such characters."""
    return text if text.isprintable() else _NOT_ASCII.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]
