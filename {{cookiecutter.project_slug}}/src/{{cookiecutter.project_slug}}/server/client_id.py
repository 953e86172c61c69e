"""The correlation id that a client may send with a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

META_KEYS = ("correlation_id", "correlationId")
"""Keys under which a client may send its own id in `_meta`."""
MAX_LENGTH = 128
"""Maximum characters of a client's id."""


def client_correlation_id(
    meta: Mapping[str, object] | None, clean: Callable[[str], str]
) -> tuple[str | None, str | None]:
    """Return the client's id from `_meta`, or None with a note that says why it was rejected.

    A valid id is a printable string of 1 to 128 characters in which `clean` finds no secret.
    """
    if not meta:
        return None, None
    for key in META_KEYS:
        value = meta.get(key)
        if value is None:
            continue
        rejection = _rejection(value, clean)
        return (str(value), None) if rejection is None else (None, f"the client's {key} {rejection}")
    return None, None


def _rejection(value: object, clean: Callable[[str], str]) -> str | None:
    if not isinstance(value, str):
        return f"was of type {type(value).__name__}, not a string"
    if not 1 <= len(value) <= MAX_LENGTH:
        return f"had {len(value)} characters instead of 1 to {MAX_LENGTH}"
    if not value.isprintable():
        return "was not printable"
    return None if clean(value) == value else "contained a secret"
