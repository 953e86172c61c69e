"""Serving until the client leaves or a signal comes, and leaving nothing undelivered."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
import time
from contextlib import AbstractContextManager, nullcontext, redirect_stdout, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
from loguru import logger

from ..logging.unified_logger import UnifiedLogger
from .app import create_mcp_server
from .http import serve_http

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..config import ServerConfig
    from .recording import RecordingMCPServer

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that end the server in order; Windows knows no SIGHUP."""
CANCEL_TIME = 0.2
"""Seconds that running tool calls have to end, and to be recorded, after a signal or the end of stdin."""
DRAIN_THREAD = "log-drain"
"""The name of UnifiedLogger's thread that waits for the main one."""


class End:
    """The end of the process: within the drain deadline, by whichever thread comes to it first.

    A tool that holds up the event loop holds up its signal handlers too, and the SDK ends a session only when the last
    sync tool has returned: so a thread watches over what was begun.
    """

    def __init__(self, server: RecordingMCPServer, config: ServerConfig) -> None:
        self._server = server
        self._drain_time = config.log_drain_timeout_ms / 1000
        self._deadline: float | None = None
        self._codes: SimpleQueue[int] = SimpleQueue()
        self._calls_are_over = threading.Event()
        self._lock = threading.Lock()
        self.cancel_time = min(CANCEL_TIME, self._drain_time / 3)
        threading.Thread(target=self._watch, name="end", daemon=True).start()

    def begin(self, code: int) -> None:
        """Let the process end from now on, with an exit code; safe in a signal handler, which may hold up any lock."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._drain_time
        self._codes.put(code)

    def drain(self) -> None:
        """Deliver everything, with what is left of the time."""
        self._calls_are_over.set()
        with self._lock:  # for good, if another thread leaves
            self._drain()

    def leave(self, code: int) -> NoReturn:
        """Drain and end the process at once: a thread that waits for stdin would hold it up while that is open."""
        with self._lock:
            try:
                self._drain()
            finally:
                os._exit(code)

    def leave_behind(self, code: int) -> None:
        """Leave without the threads that are still not done when the time is over."""
        for thread in threading.enumerate():
            if thread.daemon or thread is threading.main_thread() or thread.name == DRAIN_THREAD:
                continue
            thread.join(self._time_left())
            if thread.is_alive():
                self.leave(code)

    def _watch(self) -> None:
        code = self._codes.get()
        if not self._calls_are_over.wait(2 * self.cancel_time):
            self.leave(code)

    def _drain(self) -> None:
        self._server.abandon_calls()
        UnifiedLogger.shutdown(self._time_left())

    def _time_left(self) -> float:
        return max(0.0, (self._deadline or 0.0) - time.monotonic())


def serve(config: ServerConfig) -> int:
    """Serve until the end and return the exit code; raises SettingError for a configuration that cannot work."""
    with _protected_stdout(config):
        server = create_mcp_server(config)
    gc.freeze()  # what was imported stays: looking through it again and again holds up the event loop for 60 ms
    gc.enable()
    end = End(server, config)
    runner = asyncio.Runner()
    try:
        runner.run(_serve(server, config, end))
        code = 0
    except BaseException as error:  # noqa: BLE001 - whatever ended the server, what it logged is delivered
        code = _exit_code(error)
    end.begin(code)
    loop = runner.get_loop()
    with suppress(BaseException):  # what is cancelled may raise what it likes
        loop.run_until_complete(_cancel_tasks(end.cancel_time))
    if code:
        end.leave(code)
    end.drain()
    loop.close()
    end.leave_behind(code)
    return code


def _protected_stdout(config: ServerConfig) -> AbstractContextManager[Any]:
    """Keep what tool modules print while they are imported off a stdout that belongs to the protocol."""
    return redirect_stdout(sys.stderr) if config.transport == "stdio" and sys.stderr is not None else nullcontext()


def _exit_code(error: BaseException) -> int:
    """Return the exit code for what ended the server, and say in full what nobody expected."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if not isinstance(error, SystemExit):
        logger.opt(exception=error).error("the server stopped because of an error")
        return 1
    if isinstance(error.code, str):
        logger.error(error.code)
    return error.code if isinstance(error.code, int) else int(error.code is not None)


async def _cancel_tasks(timeout: float) -> None:
    """Let the calls that still run be recorded as cancelled; what waits for stdin is not waited for."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    generators = asyncio.ensure_future(asyncio.get_running_loop().shutdown_asyncgens())
    await asyncio.wait({*tasks, generators}, timeout=timeout)


async def _serve(server: RecordingMCPServer, config: ServerConfig, end: End) -> None:
    async with anyio.create_task_group() as group:
        scope, ended = anyio.CancelScope(), anyio.Event()
        group.start_soon(_end_on_signal, server, config, end, scope, ended)
        with scope:
            if config.transport == "stdio":
                group.start_soon(_end_after_stdin, end)
                await server.run_stdio_async()
            else:
                await serve_http(server, config)
        ended.set()
        group.cancel_scope.cancel()


async def _end_after_stdin(end: End) -> None:
    """Begin the end when stdin has ended, which the task of the SDK that reads it tells, known by its name."""

    def begin(reader: asyncio.Task[Any]) -> None:
        if not reader.cancelled():
            end.begin(0)

    for task in asyncio.all_tasks():
        if task.get_name().endswith("stdin_reader"):
            task.add_done_callback(begin)


async def _end_on_signal(
    server: RecordingMCPServer, config: ServerConfig, end: End, scope: anyio.CancelScope, ended: anyio.Event
) -> None:
    """Cancel, drain and leave: a cancelled stdio server would wait for its stdin."""
    try:
        numbers = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]  # nohup, `... &`
        with anyio.open_signal_receiver(*numbers) as signals:
            _begin_on_signal(end, numbers)
            async for number in signals:
                end.begin(128 + number)
                with anyio.move_on_after(end.cancel_time, shield=True):  # from the server's end, which cancels this
                    scope.cancel()
                    await (_calls_have_ended(server) if config.transport == "stdio" else ended.wait())
                end.leave(128 + number)
    except NotImplementedError:  # Windows' event loop: Ctrl-C arrives as KeyboardInterrupt
        return


def _begin_on_signal(end: End, numbers: Sequence[signal.Signals]) -> None:
    """Hear of signals while the event loop is held up: the handlers that asyncio installs do nothing by themselves."""
    for number in numbers:
        signal.signal(number, lambda number, _: end.begin(128 + number))
        signal.siginterrupt(number, False)  # noqa: FBT003 - as asyncio has it, and the function takes no keyword


async def _calls_have_ended(server: RecordingMCPServer) -> None:
    await anyio.lowlevel.checkpoint()
    while server.running_calls:  # noqa: ASYNC110 - a set beats an event per call on the way to every tool
        await anyio.sleep(0.005)
