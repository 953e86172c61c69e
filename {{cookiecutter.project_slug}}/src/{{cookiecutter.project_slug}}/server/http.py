"""The HTTP transports: uvicorn with our logging and signals; the Host and Origin headers are always checked."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from anyio import CancelScope, get_cancelled_exc_class
from mcp.server.transport_security import TransportSecuritySettings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from socket import socket

    import uvicorn
    from starlette.applications import Starlette

    from ..config import ServerConfig
    from .recording import RecordingMCPServer

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "[::1]")
WILDCARD_HOSTS = ("0.0.0.0", "::", "[::]")  # noqa: S104 - compared, not bound to
"""Addresses to listen on all interfaces; no client sends them as its Host."""
SSE_PATH = "/sse"
KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than the 60 after which nginx and AWS close theirs.

A request fails if the server closes the connection at that moment.
"""

_logger = logging.getLogger(__name__)


async def serve_http(server: RecordingMCPServer, config: ServerConfig) -> None:
    """Serve streamable HTTP or SSE until cancelled; raise SystemExit with a sentence if the address cannot be used."""
    import uvicorn  # noqa: PLC0415 - not needed for stdio

    class Server(uvicorn.Server):
        """A uvicorn server without signal handlers: ours deliver the logs before the process exits."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

        async def startup(self, sockets: list[socket] | None = None) -> None:
            try:
                await super().startup(sockets)
            except SystemExit as error:
                if isinstance(error.__context__, OSError):
                    raise SystemExit(_describe_bind_error(error.__context__, config)) from error.__context__
                raise

    warn_if_unreachable(config)
    logging.getLogger("uvicorn.error").addFilter(_is_not_bind_error)
    settings = uvicorn.Config(
        http_app(server, config),
        host=config.http_host,
        port=config.http_port,
        timeout_keep_alive=KEEP_ALIVE,
        log_config=None,
        access_log=False,
    )
    instance = Server(settings)
    try:
        await instance.serve()
    except get_cancelled_exc_class():
        if instance.started:
            with CancelScope(shield=True):
                await _end_requests(instance)
        raise


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
    """Return the accepted Host and Origin headers: loopback, the address to listen on, and the configured names."""
    address = config.http_host if ":" not in config.http_host else f"[{config.http_host.strip('[]')}]"
    own = LOOPBACK_HOSTS if address in WILDCARD_HOSTS else (*LOOPBACK_HOSTS, address)
    hosts = dict.fromkeys((*own, *config.http_allowed_hosts))
    origins = dict.fromkeys(f"http://{name}" for name in own)
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=_with_any_port(hosts),
        allowed_origins=[*_with_any_port(origins), *config.http_allowed_origins],
    )


def warn_if_unreachable(config: ServerConfig) -> None:
    """Warn if the server listens on all interfaces, but accepts requests to localhost only."""
    if config.http_host in WILDCARD_HOSTS and not config.http_allowed_hosts:
        _logger.warning(
            "HTTP_HOST is %s, but the Host check accepts requests to localhost only: set HTTP_ALLOWED_HOSTS to the "
            "server's public host",
            config.http_host,
        )


def _with_any_port(names: Iterable[str]) -> list[str]:
    return [pattern for name in names for pattern in (name, f"{name}:*")]


def _is_not_bind_error(record: logging.LogRecord) -> bool:
    """Drop uvicorn's line about a failed bind; `_describe_bind_error` also names the settings."""
    return not isinstance(record.msg, OSError)


def _describe_bind_error(error: OSError, config: ServerConfig) -> str:
    address = f"HTTP_HOST is {config.http_host} and HTTP_PORT is {config.http_port}"
    return f"{address}, but the server cannot listen there: {error.strerror or error}"


async def _end_requests(instance: uvicorn.Server) -> None:
    """End sessions and requests, so that running calls are recorded as cancelled; open streams would last for hours."""
    await instance.lifespan.shutdown()
    logging.getLogger("uvicorn.error").disabled = True  # it would log an error for each cancelled request
    if tasks := instance.server_state.tasks:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
