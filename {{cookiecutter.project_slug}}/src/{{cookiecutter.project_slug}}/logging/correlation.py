"""One id for everything that belongs to a request, and the tool whose call is in progress."""

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

from .forks import after_fork_in_child

_VARIANT = 1 << 63


def _seed() -> None:
    """Start counting at a random number. Forked children seed again, so that no two processes share ids."""
    global _version, _count
    random = int.from_bytes(os.urandom(10))
    _version, _count = f"7{random >> 68:03x}", itertools.count(_VARIANT | random & (_VARIANT >> 2) - 1)


_version, _count = "", itertools.count()
_seed()
after_fork_in_child(_seed)


def new_id() -> str:
    """Return a UUID version 7 (RFC 9562, 5.7) as hexadecimal digits; unlike `uuid4`, read the system's entropy once."""
    return "%012x%s%016x" % (time.time_ns() // 1_000_000, _version, next(_count))  # noqa: UP031 - faster


_current: ContextVar[str] = ContextVar("correlation_id")
_process_id = new_id()
current_tool: ContextVar[str | None] = ContextVar("tool", default=None)
"""The name of the tool whose call is in progress; every line logged meanwhile carries it."""


def get_correlation_id() -> str:
    """Return the id of the current request; outside a request, the id of this process."""
    return _current.get(_process_id)


def has_correlation_id() -> bool:
    """Return whether a request is current."""
    return _current.get(None) is not None


def begin(correlation_id: str | None = None) -> Token[str]:
    """Make an id current, by default a new one, until `end`. Faster than `correlation`."""
    return _current.set(correlation_id or new_id())


def end(token: Token[str]) -> None:
    """Restore the id from before `begin`."""
    _current.reset(token)


@contextmanager
def correlation(correlation_id: str | None = None) -> Iterator[str]:
    """Give the block one id, by default a new one; restore the outer id afterwards."""
    token = begin(correlation_id)
    try:
        yield _current.get()
    finally:
        end(token)
