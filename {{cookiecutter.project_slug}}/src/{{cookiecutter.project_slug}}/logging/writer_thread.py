"""The threads on which entries are delivered, one for each destination."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_T = TypeVar("_T")

WRITER_NAME = "log-writer"
"""The threads' name."""


class _Thread(threading.local):
    is_writer = False


_thread = _Thread()


def is_writer_thread() -> bool:
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
