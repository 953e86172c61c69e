"""Serve until the client disconnects or a signal arrives."""

from __future__ import annotations

import asyncio
import gc
import signal
from typing import TYPE_CHECKING

import anyio
from loguru import logger

from .http import serve_http
from .shutdown import Shutdown, cancel_tasks

if TYPE_CHECKING:
    from ..config import ServerConfig
    from .recording import RecordingMCPServer


def serve(server: RecordingMCPServer, config: ServerConfig) -> int:
    """Serve until the end; return the exit code."""
    gc.freeze()  # keep imported objects out of garbage collections, which would block the event loop for 60 ms
    gc.enable()
    shutdown = Shutdown(server, drain_timeout=config.log_drain_timeout_ms / 1000)
    runner = asyncio.Runner()
    try:
        runner.run(_serve(server, config, shutdown))
        code = 0
    except BaseException as error:  # noqa: BLE001 - deliver the logs, whatever ended the server
        code = _exit_code(error)
    shutdown.begin(code)
    loop = runner.get_loop()
    cancel_tasks(loop, timeout=shutdown.cancel_timeout)
    if code:
        shutdown.exit(code)
    shutdown.drain()
    loop.close()
    shutdown.join_threads(code)
    return code


async def _serve(server: RecordingMCPServer, config: ServerConfig, shutdown: Shutdown) -> None:
    is_stdio = config.transport == "stdio"
    async with anyio.create_task_group() as group:
        scope, ended = anyio.CancelScope(), anyio.Event()
        group.start_soon(lambda: shutdown.at_signal(scope, server_ended=None if is_stdio else ended))
        with scope:
            if is_stdio:
                group.start_soon(shutdown.at_end_of_stdin)
                await server.run_stdio_async()
            else:
                await serve_http(server, config)
        ended.set()
        group.cancel_scope.cancel()


def _exit_code(error: BaseException) -> int:
    """Return the exit code for the exception that ended the server, and log an unexpected one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    if isinstance(error, KeyboardInterrupt):
        return 128 + signal.SIGINT
    if not isinstance(error, SystemExit):
        logger.opt(exception=error).error("the server stopped because of an error")
        return 1
    if isinstance(error.code, str):
        logger.opt(exception=error.__cause__).error(error.code)
    return error.code if isinstance(error.code, int) else int(error.code is not None)
