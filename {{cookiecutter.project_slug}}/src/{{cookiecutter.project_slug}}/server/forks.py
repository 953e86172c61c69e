"""A child that a tool forks is not the server: signals end the child alone, and it never answers the client."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import weakref
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from loguru import logger

from ..logging.forks import after_fork_in_child
from ..logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Callable

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that end the server in order; Windows has no SIGHUP."""
SERVER_MODULES = (f"{__package__}.", "asyncio.", "uvicorn.")
"""How the names of modules with the server's signal handlers begin; `mcp run` uses those of uvicorn."""


class _Process:
    """Something that is another object in each forked child, because `os.getpid` is a system call."""

    current = object()

    @classmethod
    def renew(cls) -> None:
        cls.current = object()


after_fork_in_child(_Process.renew)


def keep_signals_from_children() -> None:
    """Give children that are forked from now on the signal handlers that are installed now, before the server's own.

    The server's handlers would ignore SIGTERM in a child, and through asyncio's wakeup descriptor, which is shared, the
    signal would end the server instead. Signals are blocked during the fork, because the child could get one before it
    has its handlers.
    """
    if not hasattr(os, "register_at_fork"):
        return
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    thread = threading.local()

    def block() -> None:
        thread.mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def unblock() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, thread.mask)

    def restore() -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            if _is_of_server(signal.getsignal(number)):  # not one that a tool has installed meanwhile
                signal.signal(number, handler or signal.SIG_DFL)
        if signal.SIGINT in signal.sigpending() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # KeyboardInterrupt would be lost here
        unblock()

    os.register_at_fork(before=block, after_in_parent=unblock, after_in_child=restore)


def keep_loop_from_children(loop: asyncio.AbstractEventLoop) -> None:
    """End children that are forked from now on when they return to `loop`, which does not run there.

    The thread of a sync tool reports to the loop how the tool has ended, then waits for the next one.
    """

    def report(callback: Callable[..., object], *arguments: object, **_: object) -> None:
        futures = [each for each in arguments if isinstance(each, Future) and each.done()]
        if futures or getattr(callback, "__self__", None) is threading.current_thread():  # of asyncio, of anyio
            outcomes = [*arguments, *(future.exception() for future in futures)]
            end_child(next((each for each in outcomes if isinstance(each, BaseException)), None))
        msg = "the server's event loop does not run in a forked child"
        raise RuntimeError(msg)

    reference = weakref.ref(loop)

    def replace() -> None:
        if (inherited := reference()) is not None:
            inherited.call_soon_threadsafe = report  # type: ignore[method-assign, assignment]

    after_fork_in_child(replace)


class InThisProcess:
    """End a forked child that comes out of the block, because its parent does, too."""

    __slots__ = ("_process",)

    def __enter__(self) -> None:
        self._process = _Process.current

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if _Process.current is not self._process:
            end_child(error)


def end_child(error: BaseException | None) -> NoReturn:
    """End this process as Python ends a program, without what its parent has registered for its own exit."""
    code = exit_code_of(error, sentence="a forked child left the tool because of an error")
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):  # there is none, its reader is gone, or it is closed
            stream.flush()
    UnifiedLogger.shutdown()
    os._exit(code)


def exit_code_of(error: BaseException | None, *, sentence: str) -> int:
    """Return the exit code for the exception that ends a process; log an unexpected one with this sentence."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if error is None:
        return 0
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if not isinstance(error, SystemExit):
        logger.opt(exception=error).error(sentence)
        return 1
    if isinstance(error.code, str):
        logger.opt(exception=error.__cause__).error(error.code)
    return error.code if isinstance(error.code, int) else int(error.code is not None)


def _is_of_server(handler: object) -> bool:
    function = getattr(handler, "func", handler)  # asyncio's for SIGINT is a `partial`
    return f"{getattr(function, '__module__', '')}.".startswith(SERVER_MODULES)
