"""Serve until the client disconnects or a signal arrives."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import anyio

from .forks import exit_code_of
from .http import serve_http
from .shutdown import Shutdown, cancel_tasks

if TYPE_CHECKING:
    from ..config import ServerConfig
    from .recording import RecordingMCPServer
    from .wire import Wire


def serve(server: RecordingMCPServer, config: ServerConfig, wire: Wire | None = None) -> int:
    """Serve until the end, over `wire` if stdin and stdout have been moved there; return the exit code."""
    gc.freeze()  # keep imported objects out of garbage collections, which would block the event loop for 60 ms
    gc.enable()
    shutdown = Shutdown(server, drain_timeout=config.log_drain_timeout_ms / 1000)
    runner = asyncio.Runner()
    try:
        runner.run(_serve(server, config, shutdown, wire))
        code = 0
    except BaseException as error:  # noqa: BLE001 - deliver the logs, whatever ended the server
        code = exit_code_of(error, sentence="the server stopped because of an error")
    shutdown.begin(code)
    loop = runner.get_loop()
    cancel_tasks(loop, timeout=shutdown.cancel_timeout)
    if code:
        shutdown.exit(code)
    shutdown.drain()
    loop.close()
    shutdown.end_children(code)
    shutdown.join_threads(code)
    return code


async def _serve(server: RecordingMCPServer, config: ServerConfig, shutdown: Shutdown, wire: Wire | None) -> None:
    is_stdio = config.transport == "stdio"
    async with anyio.create_task_group() as group:
        scope, ended = anyio.CancelScope(), anyio.Event()
        group.start_soon(lambda: shutdown.at_signal(scope, server_ended=None if is_stdio else ended))
        with scope:
            if is_stdio:
                group.start_soon(shutdown.at_end_of_stdin)
                await (server.run_stdio_async() if wire is None else wire.serve(server))
            else:
                await serve_http(server, config)
        ended.set()
        group.cancel_scope.cancel()
