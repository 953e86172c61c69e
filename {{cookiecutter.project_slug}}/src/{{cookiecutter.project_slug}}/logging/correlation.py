"""One id for everything that happens because of one request."""

from __future__ import annotations

import itertools
import os
import time
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_VARIANT = 1 << 63


def _seed() -> None:
    """Begin to count at random, again after a fork, so that no two processes make the same ids."""
    global _version, _count
    random = int.from_bytes(os.urandom(10))
    _version, _count = f"7{random >> 68:03x}", itertools.count(_VARIANT | random & (_VARIANT >> 2) - 1)


_version, _count = "", itertools.count()
_seed()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_seed)


def new_id() -> str:
    """Return a UUID of version 7 as 32 hexadecimal digits, so that ids sort by the time they were made.

    `uuid.uuid4` reads the system's entropy each time; here it is read once, and what follows is counted. Layout from
    RFC 9562, section 5.7.
    """
    return "%012x%s%016x" % (time.time_ns() // 1_000_000, _version, next(_count))  # noqa: UP031 - faster


META_KEYS = ("correlation_id", "correlationId")
"""Where a client may put an id of its own in a request's `_meta`."""
MAX_LENGTH = 128
"""Characters a client's id may have."""

_current: ContextVar[str] = ContextVar("correlation_id")
_process_id = new_id()


def get_correlation_id() -> str:
    """Return the id of the current request, or the process's own outside of one."""
    return _current.get(_process_id)


def has_correlation_id() -> bool:
    """Tell whether there is a current request."""
    return _current.get(None) is not None


def begin(correlation_id: str | None = None) -> Token[str]:
    """Make an id current, a new one by default, until `end`: what `correlation` does, without its price."""
    return _current.set(correlation_id or new_id())


def end(token: Token[str]) -> None:
    """Make the id current again that was before `begin`."""
    _current.reset(token)


@contextmanager
def correlation(correlation_id: str | None = None) -> Iterator[str]:
    """Give everything inside one id, a new one by default; the outer id is back afterwards."""
    token = begin(correlation_id)
    try:
        yield _current.get()
    finally:
        end(token)


def client_correlation_id(
    meta: Mapping[str, object] | None, clean: Callable[[str], str]
) -> tuple[str | None, str | None]:
    """Return the client's id from `_meta` and, where it is there but not usable, a note that says why.

    Usable is a printable string of 1 to 128 characters in which `clean` finds no secret.
    """
    if not meta:
        return None, None
    for key in META_KEYS:
        value = meta.get(key)
        if value is None:
            continue
        fault = _fault(value, clean)
        return (str(value), None) if fault is None else (None, f"the client's {key} {fault}")
    return None, None


def _fault(value: object, clean: Callable[[str], str]) -> str | None:
    if not isinstance(value, str):
        return f"was a {type(value).__name__}, not a string"
    if not 1 <= len(value) <= MAX_LENGTH:
        return f"had {len(value)} characters, not 1 to {MAX_LENGTH}"
    if not value.isprintable():
        return "was not printable"
    return None if clean(value) == value else "held a secret"
