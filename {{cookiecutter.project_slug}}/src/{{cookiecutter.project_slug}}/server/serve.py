"""Serving until the client leaves or a signal comes, and leaving nothing undelivered."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from typing import TYPE_CHECKING, Any

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
    try:
        anyio.run(_serve, server, config)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Exception:  # noqa: BLE001 - said in full, with its traceback, by the next line
        logger.exception("the server stopped because of an error")
        return 1
    finally:
        UnifiedLogger.shutdown()
    return 0


def _protected_stdout(config: ServerConfig) -> AbstractContextManager[Any]:
    """Keep what tool modules print while they are imported off a stdout that belongs to the protocol."""
    return redirect_stdout(sys.stderr) if config.transport == "stdio" and sys.stderr is not None else nullcontext()


async def _serve(server: RecordingMCPServer, config: ServerConfig) -> None:
    async with anyio.create_task_group() as group:
        scope = anyio.CancelScope()
        group.start_soon(_end_on_signal, server, scope)
        with scope:
            if config.transport == "stdio":
                await server.run_stdio_async()
            else:
                await serve_http(server, config)
        group.cancel_scope.cancel()


async def _end_on_signal(server: RecordingMCPServer, scope: anyio.CancelScope) -> None:
    """Cancel, drain and leave: a cancelled stdio server would wait for its stdin, and HTTP for its streams."""
    try:
        receiver = anyio.open_signal_receiver(*SIGNALS)
        with receiver as signals:
            async for number in signals:
                scope.cancel()
                with anyio.move_on_after(CANCEL_TIME):
                    await _calls_have_ended(server)
                UnifiedLogger.shutdown()
                os._exit(128 + number)
    except NotImplementedError:  # Windows' event loop: Ctrl-C arrives as KeyboardInterrupt
        return


async def _calls_have_ended(server: RecordingMCPServer) -> None:
    await anyio.lowlevel.checkpoint()
    while server.running_calls:  # noqa: ASYNC110 - a count beats an event per call on the way to every tool
        await anyio.sleep(0.005)
