"""End the process: within a deadline, with everything delivered, whatever holds it up."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn

import anyio

from ..logging.drain import DRAIN_THREAD
from ..logging.unified_logger import UnifiedLogger
from .children import running_children, terminate
from .forks import SIGNALS, keep_loop_from_children, keep_signals_from_children
from .recording import BY_DISCONNECT, BY_SHUTDOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .recording import RecordingMCPServer

CANCEL_TIMEOUT = 0.2
"""Seconds that running tool calls have to end after a signal or the end of stdin."""


class Shutdown:
    """End the process within `drain_timeout` seconds of `begin`, by whichever thread gets there first.

    A tool that blocks the event loop also blocks its signal handlers, and the SDK ends a session only after the last
    sync tool has returned. A watchdog thread covers both cases.
    """

    def __init__(self, server: RecordingMCPServer, *, drain_timeout: float) -> None:
        self.cancel_timeout = min(CANCEL_TIMEOUT, drain_timeout / 3)
        self._server = server
        self._drain_timeout = drain_timeout
        self._deadline: float | None = None
        self._exit_codes: SimpleQueue[int] = SimpleQueue()
        self._calls_are_over = threading.Event()
        self._lock = threading.Lock()
        keep_signals_from_children()
        threading.Thread(target=self._watch, name="shutdown-watchdog", daemon=True).start()

    def begin(self, exit_code: int, *, reason: str = BY_SHUTDOWN) -> None:
        """Start the countdown; `reason` explains the calls that it cancels. Safe in a signal handler: takes no lock."""
        if self._deadline is None:
            self._server.cancel_reason = reason
            self._deadline = time.monotonic() + self._drain_timeout
        self._exit_codes.put(exit_code)

    def drain(self) -> None:
        """Deliver everything in the remaining time; block forever if another thread is already exiting."""
        self._calls_are_over.set()
        with self._lock:
            self._drain()

    def exit(self, exit_code: int) -> NoReturn:
        """Drain and end the process at once: a thread of the SDK that reads stdin would keep it alive otherwise."""
        with self._lock:
            try:
                self._drain()
                terminate(running_children())
            finally:
                os._exit(exit_code)

    def end_children(self, exit_code: int) -> None:
        """Terminate the child processes that the interpreter would wait for, and exit in time if it waits for one.

        It terminates daemons itself, and pools in order.
        """
        if not (children := running_children()):
            return
        terminate(child for child in children if not child.daemon)
        timer = threading.Timer(self._time_left(), self.exit, [exit_code])
        timer.daemon = True
        timer.start()

    def join_threads(self, exit_code: int) -> None:
        """Wait for other threads in the remaining time, then exit without them."""
        for thread in threading.enumerate():
            if thread.daemon or thread is threading.main_thread() or thread.name == DRAIN_THREAD:
                continue
            thread.join(self._time_left())
            if thread.is_alive():
                self.exit(exit_code)

    async def at_end_of_stdin(self) -> None:
        """Start shutdown at EOF by watching the SDK's `stdin_reader` task."""

        def begin(reader: asyncio.Task[Any]) -> None:
            if not reader.cancelled():
                self.begin(0, reason=BY_DISCONNECT)

        for task in asyncio.all_tasks():
            if task.get_name().endswith("stdin_reader"):
                task.add_done_callback(begin)

    async def at_signal(self, scope: anyio.CancelScope, *, server_ended: anyio.Event | None) -> None:
        """On a signal, cancel `scope`, drain and exit.

        Wait for `server_ended`; without it wait for the running calls, because a cancelled stdio server waits for stdin
        where the SDK's thread reads it: from files and terminals, and on Windows.
        """
        try:
            numbers = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup, `&`
            keep_loop_from_children(asyncio.get_running_loop())
            with anyio.open_signal_receiver(*numbers) as signals:
                self._begin_in_signal_handler(numbers)
                async for number in signals:
                    self.begin(128 + number)
                    with anyio.move_on_after(self.cancel_timeout, shield=True):  # the end of the server cancels us
                        scope.cancel()
                        await (self._calls_have_ended() if server_ended is None else server_ended.wait())
                    self.exit(128 + number)
        except NotImplementedError:  # Windows' event loop: Ctrl-C arrives as KeyboardInterrupt
            return

    def _begin_in_signal_handler(self, numbers: Sequence[signal.Signals]) -> None:
        """Start the countdown even while the event loop is blocked: asyncio's own handlers run on the loop."""
        for number in numbers:
            signal.signal(number, lambda number, _: self.begin(128 + number))
            signal.siginterrupt(number, False)  # noqa: FBT003 - as in asyncio; the function takes no keyword

    async def _calls_have_ended(self) -> None:
        await anyio.lowlevel.checkpoint()
        while self._server.running_calls:  # noqa: ASYNC110 - polling here keeps an event off every tool call
            await anyio.sleep(0.005)

    def _watch(self) -> None:
        exit_code = self._exit_codes.get()
        if not self._calls_are_over.wait(2 * self.cancel_timeout):
            self.exit(exit_code)

    def _drain(self) -> None:
        self._server.abandon_calls()
        UnifiedLogger.shutdown(self._time_left())

    def _time_left(self) -> float:
        return max(0.0, (self._deadline or 0.0) - time.monotonic())


def cancel_tasks(loop: asyncio.AbstractEventLoop, *, timeout: float) -> None:
    """Cancel all tasks of a loop, so that running calls are recorded; wait at most `timeout` seconds for them."""

    async def cancel() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        generators = asyncio.ensure_future(asyncio.get_running_loop().shutdown_asyncgens())
        await asyncio.wait({*tasks, generators}, timeout=timeout)

    with suppress(BaseException):  # cancelled tasks may raise anything
        loop.run_until_complete(cancel())
