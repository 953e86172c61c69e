"""The HTTP transports on a server of our own: our logging, our signals, Host and Origin always checked."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from anyio import CancelScope, get_cancelled_exc_class
from mcp.server.transport_security import TransportSecuritySettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from socket import socket

    import uvicorn
    from starlette.applications import Starlette

    from ..config import ServerConfig
    from .recording import RecordingMCPServer

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
EVERYWHERE = ("0.0.0.0", "::", "[::]")  # noqa: S104 - compared, not bound to
"""Addresses that say where to listen and are no Host that a client sends."""
SSE_PATH = "/sse"

_logger = logging.getLogger(__name__)


async def serve_http(server: RecordingMCPServer, config: ServerConfig) -> None:
    """Serve streamable HTTP or SSE until cancelled; raises SystemExit when the address cannot be used."""
    import uvicorn  # noqa: PLC0415 - not needed for stdio

    class Server(uvicorn.Server):
        """uvicorn without its own signal handlers: ours drain the logs before they let the process go."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket] | None = None) -> None:
            try:
                await super().startup(sockets)
            except SystemExit as error:
                if isinstance(error.__context__, OSError):
                    raise SystemExit(_refusal(error.__context__, config)) from None
                raise

    warn_of_hosts(config)
    logging.getLogger("uvicorn.error").addFilter(_is_no_refusal)
    settings = uvicorn.Config(
        http_app(server, config), host=config.http_host, port=config.http_port, log_config=None, access_log=False
    )
    instance = Server(settings)
    try:
        await instance.serve()
    except get_cancelled_exc_class():
        if instance.started:
            with CancelScope(shield=True):
                await _end_requests(instance)
        raise


def warn_of_hosts(config: ServerConfig) -> None:
    """Say when a server listens on every address, but lets in only those who call it localhost."""
    if config.http_host in EVERYWHERE and not config.http_allowed_hosts:
        _logger.warning(
            "HTTP_HOST is %s, but only requests to localhost pass the Host check: name the server's public "
            "host in HTTP_ALLOWED_HOSTS",
            config.http_host,
        )


def _is_no_refusal(record: logging.LogRecord) -> bool:
    """Tell whether a line of uvicorn's is anything but the bare error of `_refusal`, which names the settings."""
    return not isinstance(record.msg, OSError)


def _refusal(error: OSError, config: ServerConfig) -> str:
    address = f"HTTP_HOST is {config.http_host} and HTTP_PORT is {config.http_port}"
    return f"{address}, but the server cannot listen there: {error.strerror or error}"


async def _end_requests(instance: uvicorn.Server) -> None:
    """End the sessions and the requests, so that calls are recorded as cancelled: streams stay open for hours."""
    await instance.lifespan.shutdown()
    logging.getLogger("uvicorn.error").disabled = True  # it would call each request that is cancelled here an error
    if tasks := instance.server_state.tasks:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def http_app(server: RecordingMCPServer, config: ServerConfig) -> Starlette:
    """Return the ASGI application of the configured HTTP transport."""
    security = transport_security(config)
    if config.transport == "sse":
        path = config.http_path if "http_path" in config.model_fields_set else SSE_PATH
        return server.sse_app(sse_path=path, transport_security=security, host=config.http_host)
    return server.streamable_http_app(
        streamable_http_path=config.http_path, transport_security=security, host=config.http_host
    )


def transport_security(config: ServerConfig) -> TransportSecuritySettings:
    """Return the Host and Origin headers that pass: loopback's, the configured host's, and those that were named."""
    bound = config.http_host if ":" not in config.http_host else f"[{config.http_host.strip('[]')}]"
    names = LOOPBACK if bound in EVERYWHERE else (*LOOPBACK, bound)
    hosts = [pattern for name in (*names, *config.http_allowed_hosts) for pattern in (name, f"{name}:*")]
    origins = [f"http://{pattern}" for name in names for pattern in (name, f"{name}:*")]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=list(dict.fromkeys(hosts)),
        allowed_origins=[*dict.fromkeys(origins), *config.http_allowed_origins],
    )
