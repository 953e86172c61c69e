"""Serving until the client leaves or a signal comes, and leaving nothing undelivered."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any, NoReturn

import anyio
from loguru import logger

from ..logging.unified_logger import UnifiedLogger
from .app import create_mcp_server
from .http import serve_http

if TYPE_CHECKING:
    from ..config import ServerConfig
    from .recording import RecordingMCPServer

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Signals that end the server in order; Windows knows no SIGHUP."""
CANCEL_TIME = 0.2
"""Seconds that running tool calls have to end, and to be recorded, after a signal."""


def serve(config: ServerConfig) -> int:
    """Serve until the end and return the exit code; raises SettingError for a configuration that cannot work."""
    with _protected_stdout(config):
        server = create_mcp_server(config)
    gc.freeze()  # what was imported stays: looking through it again and again holds up the event loop for 60 ms
    gc.enable()
    runner = asyncio.Runner()
    try:
        runner.run(_serve(server, config))
        code = 0
    except BaseException as error:  # noqa: BLE001 - whatever ended the server, what it logged is delivered
        code = _exit_code(error)
        if config.transport == "stdio":
            _cancel_tasks(runner.get_loop())
            _leave(server, code)
    runner.close()
    server.abandon_calls()
    UnifiedLogger.shutdown()
    return code


def _protected_stdout(config: ServerConfig) -> AbstractContextManager[Any]:
    """Keep what tool modules print while they are imported off a stdout that belongs to the protocol."""
    return redirect_stdout(sys.stderr) if config.transport == "stdio" and sys.stderr is not None else nullcontext()


def _exit_code(error: BaseException) -> int:
    """Return the exit code for what ended the server, and say in full what nobody expected."""
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    logger.opt(exception=error).error("the server stopped because of an error")
    return 1


def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Let the calls that still run be recorded as cancelled; what waits for stdin is not waited for."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=CANCEL_TIME))


def _leave(server: RecordingMCPServer, code: int, *, timeout: float | None = None) -> NoReturn:
    """Drain and end the process at once: a thread that waits for stdin would hold it up for as long as it is open."""
    try:
        server.abandon_calls()
        UnifiedLogger.shutdown(timeout)
    finally:
        os._exit(code)


async def _serve(server: RecordingMCPServer, config: ServerConfig) -> None:
    async with anyio.create_task_group() as group:
        scope, ended = anyio.CancelScope(), anyio.Event()
        group.start_soon(_end_on_signal, server, config, scope, ended)
        with scope:
            if config.transport == "stdio":
                await server.run_stdio_async()
            else:
                await serve_http(server, config)
        ended.set()
        group.cancel_scope.cancel()


async def _end_on_signal(
    server: RecordingMCPServer, config: ServerConfig, scope: anyio.CancelScope, ended: anyio.Event
) -> None:
    """Cancel, drain and leave: a cancelled stdio server would wait for its stdin."""
    try:
        with anyio.open_signal_receiver(*SIGNALS) as signals:
            async for number in signals:
                deadline = time.monotonic() + config.log_drain_timeout_ms / 1000
                with anyio.move_on_after(CANCEL_TIME, shield=True):  # from the server's end, which cancels this task
                    scope.cancel()
                    await (_calls_have_ended(server) if config.transport == "stdio" else ended.wait())
                _leave(server, 128 + number, timeout=max(0.0, deadline - time.monotonic()))
    except NotImplementedError:  # Windows' event loop: Ctrl-C arrives as KeyboardInterrupt
        return


async def _calls_have_ended(server: RecordingMCPServer) -> None:
    await anyio.lowlevel.checkpoint()
    while server.running_calls:  # noqa: ASYNC110 - a set beats an event per call on the way to every tool
        await anyio.sleep(0.005)
