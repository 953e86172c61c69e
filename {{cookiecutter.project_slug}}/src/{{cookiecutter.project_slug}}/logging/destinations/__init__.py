"""Where entries go; importing this package imports no driver and no destination before it is asked for by name."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .base import LogDestination, LogEntry

_WHERE = {
    "BufferedDestination": "buffered",
    "CompositeDestination": "wrappers",
    "ConsoleDestination": "console",
    "RetryWrapper": "wrappers",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(f".{_WHERE[name]}", __name__), name)
    from ...choices import DESTINATIONS  # noqa: PLC0415 - the chosen ones import this package

    for destination in DESTINATIONS:
        if destination.__name__ == name:
            return destination
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


__all__ = ["LogDestination", "LogEntry", *_WHERE]  # noqa: PLE0604 - names of __getattr__
