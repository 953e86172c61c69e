"""Escape characters that a terminal would interpret."""

from __future__ import annotations

import json
import re

_NOT_ASCII = re.compile(r"[^ -~]")


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
