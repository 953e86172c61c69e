"""The threads on which entries are delivered, one for each destination."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

_T = TypeVar("_T")

WRITER_NAME = "log-writer"
"""The threads' name."""
FORK_PATIENCE = 2.0
"""Seconds a fork waits at most for what holds it off."""


class _Thread(threading.local):
    is_writer = False


_thread = _Thread()


def is_writer() -> bool:
    """Tell whether this is a writer's thread, or one that runs a blocking call for it."""
    return _thread.is_writer


class WriterThread:
    """A daemon thread with an event loop of its own: it runs before the server's loop, after it, and without it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_DaemonExecutor())
        self._thread = threading.Thread(target=self._run, name=WRITER_NAME, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Run a coroutine on the thread's loop and return its future, a cancelled one where the thread has ended."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            ended: Future[_T] = Future()
            ended.cancel()
            ended.set_running_or_notify_cancel()
            return ended

    def stop(self) -> None:
        """Let the thread cancel what still runs, and end."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)

    def join(self, timeout: float) -> None:
        """Wait at most `timeout` seconds for the thread's end."""
        self._thread.join(timeout)

    def _run(self) -> None:
        _thread.is_writer = True
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=0.1) if tasks else asyncio.sleep(0))
        finally:
            self._loop.close()


class _DaemonExecutor(ThreadPoolExecutor):
    """A daemon thread per call: the interpreter waits for the threads of a pool, and a look-up of a name may hang.

    It also works when pools no longer do, since the drain may come after their end.
    """

    def submit(self, call: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Run a call on a thread of its own."""
        future: Future[_T] = Future()

        def run() -> None:
            _thread.is_writer = True
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - the future's, as in any executor
                    future.set_exception(error)

        threading.Thread(target=run, name="log-writer-call", daemon=True).start()
        return future


class _Holding(threading.local):
    depth = 0


class _Forks:
    """Lets a fork wait while a thread has locks that nobody would release in the child."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._changed = threading.Condition()
        self._mine = _Holding()
        self._holding = 0
        self._awaited = 0

    @contextmanager
    def hold_off(self) -> Iterator[None]:
        """Let a fork of this process wait for the end of the block, and the block for a fork that waits already.

        For imports, and for calls of a library that has locks of its own in C; not for what may hang.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._mine.depth or not self._awaited)
            self._mine.depth += 1
            self._holding += 1
        try:
            yield
        finally:
            with self._changed:
                if self._mine.depth:  # in a child that was forked inside of the block it is not
                    self._mine.depth -= 1
                    self._holding -= 1
                self._changed.notify_all()

    def before(self) -> None:
        """Wait until nobody else holds forks off."""
        self._changed.acquire()
        self._awaited += 1
        self._changed.wait_for(lambda: self._holding <= self._mine.depth, FORK_PATIENCE)

    def after_in_parent(self) -> None:
        """Let others go on."""
        self._awaited -= 1
        self._changed.notify_all()
        self._changed.release()

    def after_in_child(self) -> None:
        """Begin anew: none of the others is here."""
        self._reset()


_forks = _Forks()
hold_off_forks = _forks.hold_off

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_forks.before, after_in_parent=_forks.after_in_parent, after_in_child=_forks.after_in_child
    )
