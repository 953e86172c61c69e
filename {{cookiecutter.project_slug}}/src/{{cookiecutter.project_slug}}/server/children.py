"""The child processes that tools leave behind in `multiprocessing`, its pools and executors."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from multiprocessing.process import BaseProcess


def running_children() -> list[BaseProcess]:
    """Return the running children; none, without an import that takes long, if no tool has imported multiprocessing."""
    module = sys.modules.get("multiprocessing.process")
    return [] if module is None else module.active_children()


def terminate(children: Iterable[BaseProcess]) -> None:
    """Send SIGTERM to children, without waiting for them."""
    for child in children:
        with suppress(OSError, ValueError):  # it has just ended
            child.terminate()
