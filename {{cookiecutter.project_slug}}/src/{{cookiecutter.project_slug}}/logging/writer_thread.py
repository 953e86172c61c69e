"""The threads that deliver entries, one per destination."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

_T = TypeVar("_T")

WRITER_NAME = "log-writer"
CANCEL_TIMEOUT = 0.1  # seconds that cancelled tasks have to end
_this_thread = threading.local()


def is_writer_thread() -> bool:
    """Return whether the current thread is a writer thread, or runs a blocking call for one."""
    return getattr(_this_thread, "is_writer", False)


class WriterThread:
    """A daemon thread with an event loop, which runs before, after and without the server's loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(_DaemonExecutor())
        self._thread = threading.Thread(target=self._run, name=WRITER_NAME, daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Run a coroutine on this thread and return its future, which is cancelled if the thread has ended."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:
            work.close()
            cancelled: Future[_T] = Future()
            cancelled.cancel()
            cancelled.set_running_or_notify_cancel()
            return cancelled

    def stop(self) -> None:
        """Cancel the running tasks and end the thread, without waiting for it."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._loop.stop)

    def join(self, timeout: float) -> None:
        """Wait up to `timeout` seconds for the thread to end."""
        self._thread.join(timeout)

    def _run(self) -> None:
        _this_thread.is_writer = True
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            tasks = asyncio.all_tasks(self._loop)
            for task in tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=CANCEL_TIMEOUT) if tasks else asyncio.sleep(0))
        finally:
            self._loop.close()


class _DaemonExecutor(ThreadPoolExecutor):
    """Run each call on its own daemon thread: a lookup may hang, and Python joins the threads of a pool at exit."""

    def submit(self, call: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        """Start the call and return its future."""
        future: Future[_T] = Future()

        def run() -> None:
            _this_thread.is_writer = True
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(call(*args, **kwargs))
                except BaseException as error:  # noqa: BLE001 - the caller gets it from the future
                    future.set_exception(error)

        threading.Thread(target=run, name=f"{WRITER_NAME}-call", daemon=True).start()
        return future
