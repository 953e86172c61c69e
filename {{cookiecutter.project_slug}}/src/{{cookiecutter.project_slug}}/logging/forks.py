"""Delay forks while a thread holds locks that nothing could release in the child."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FORK_TIMEOUT = 10.0  # seconds a fork waits at most; imports of drivers take 3 s on a busy machine


class _HeldByThread(threading.local):
    depth = 0


class _ForkGuard:
    """Count the threads inside `hold_off`; a fork waits until only its own thread is left."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all blocks; in a forked child, their threads do not exist."""
        self._changed = threading.Condition()
        self._own = _HeldByThread()
        self._holding = 0
        self._waiting_forks = 0

    @contextmanager
    def hold_off(self) -> Iterator[None]:
        """Delay forks until the block ends: for imports and C libraries with locks, never for calls that may hang."""
        with self._changed:
            self._changed.wait_for(lambda: self._own.depth or not self._waiting_forks)
            self._own.depth += 1
            self._holding += 1
        try:
            yield
        finally:
            with self._changed:
                if self._own.depth:  # zero in a child that was forked inside the block
                    self._own.depth -= 1
                    self._holding -= 1
                self._changed.notify_all()

    def before(self) -> None:
        self._changed.acquire()
        self._waiting_forks += 1
        self._changed.wait_for(lambda: self._holding <= self._own.depth, FORK_TIMEOUT)

    def after_in_parent(self) -> None:
        self._waiting_forks -= 1
        self._changed.notify_all()
        self._changed.release()


def after_fork_in_child(callback: Callable[[], None]) -> None:
    """Call `callback` in every forked child; do nothing on platforms without forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=callback)


_guard = _ForkGuard()
hold_off_forks = _guard.hold_off

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_guard.before, after_in_parent=_guard.after_in_parent)
after_fork_in_child(_guard.reset)
