"""Serve the page until Ctrl-C or SIGTERM, and open the browser."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import webbrowser
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import uvicorn

from ...choices import COMMAND
from ...logging.errors import SettingError
from ..reading import open_readable
from .app import create_app
from .security import new_token
from .stores import Stores

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ...config import ServerConfig
    from ...logging.destinations.base import LogDestination

LOOPBACK = ("127.0.0.1", "localhost", "::1")
REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here
"""Where this machine reaches a server that listens on all of its addresses."""
NICENESS = 10
END_OF_STREAMS = 1
"""Seconds that open streams have to end."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """A server that ends on the first signal with exit code 0; uvicorn's raises the signal again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def run_ui(options: argparse.Namespace, config: ServerConfig) -> int:
    """Serve the page; return the exit code. Raise SettingError if the address or the destination cannot be used."""
    async with open_readable(options.source, config) as source:
        with _listening(options.host, options.port) as listener:
            port = listener.getsockname()[1]
            token, once = new_token(), new_token()
            server = _server(source, config, options, token=token, once=once, port=port)
            page = f"http://{_bracketed(REACHED_AT.get(options.host, options.host))}:{port}/"
            with server.capture_signals():  # before the address is printed, so that Ctrl-C works from then on
                _announce(f"{page}?token={token}", options)
                if options.browser:
                    _open_browser(f"{page}?token={once}")
                _yield_to_servers()  # after the browser is started, which would inherit it
                await server.serve(sockets=[listener])
    return 0


def _yield_to_servers() -> None:
    """Let the servers that are watched go first, where the system has priorities."""
    with suppress(AttributeError, OSError):
        os.nice(NICENESS)


def _announce(url: str, options: argparse.Namespace) -> None:
    """Print the address, and who can reach it."""
    print(url, flush=True)
    if options.host not in LOOPBACK:
        print("Everyone who can reach this machine and knows this token can read the calls.", file=sys.stderr)


def _open_browser(url: str) -> None:
    """Open an address whose token works once: other users see the browser's command line with `ps`.

    Some browsers run in the terminal until their end, so this happens in a thread.
    """
    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _server(
    source: LogDestination, config: ServerConfig, options: argparse.Namespace, *, token: str, once: str, port: int
) -> _Server:
    app = create_app(
        source,
        stores=Stores(config),
        token=token,
        once=once,
        host=options.host,
        trace_url=options.trace_url,
        cookie=f"{COMMAND}-{port}",  # browsers send a cookie to all ports of a host
        is_ending=lambda: server.should_exit,
    )
    settings = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=END_OF_STREAMS
    )
    server = _Server(settings)
    return server


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Listen on an address; raise SettingError that names it if that is impossible."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"--host is {host!r} and --port is {port}, but the page cannot be served there: {reason}"
        raise SettingError(msg) from error
    with listener:
        # Connections inherit it; without it, the second part of an answer waits 40 ms for the receipt of the first.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
