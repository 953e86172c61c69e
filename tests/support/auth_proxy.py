"""A proxy in front of Elasticsearch, which in its bare jars has neither TLS nor users: this has either."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tests.backends import Certificates

REFUSAL = {
    "error": {"type": "security_exception", "reason": "unable to authenticate this client"},
    "status": 401,
}
FORWARDED = ("Content-Type", "Accept")


class AuthProxy(ThreadingHTTPServer):
    """Forwards to `upstream`; asks for the header `authorization` where that is given.

    `seen` holds every Authorization header that came over the wire.
    """

    daemon_threads = True

    def __init__(
        self, upstream: str, *, certificates: Certificates | None = None, authorization: str | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: set[str | None] = set()
        self.authorization = authorization
        self.client = httpx.Client(base_url=upstream, timeout=60, trust_env=False)
        self.url = f"{'https' if certificates else 'http'}://127.0.0.1:{self.server_address[1]}"
        self._tls: ssl.SSLContext | None = None
        if certificates is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificates.certificate_file, certificates.key_file)

    def get_request(self) -> tuple[socket.socket, object]:
        """Accept a connection; its handshake is made by the thread that serves it."""
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about a client that ended the handshake."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: AuthProxy

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        authorization = self.headers.get("Authorization")
        self.server.seen.add(authorization)
        if self.server.authorization not in (None, authorization):
            self._reply(401, "application/json", json.dumps(REFUSAL).encode())
            return
        headers = {name: self.headers[name] for name in FORWARDED if name in self.headers}
        reply = self.server.client.request(self.command, self.path, content=body, headers=headers)
        self._reply(reply.status_code, reply.headers.get("Content-Type", ""), reply.content)

    do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _forward  # noqa: N815 - the names that http.server asks for

    def _reply(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else content)

    def log_message(self, *_: object) -> None:
        """Say nothing about requests."""


@contextmanager
def proxied(
    upstream: str, *, certificates: Certificates | None = None, authorization: str | None = None
) -> Iterator[AuthProxy]:
    """Run a proxy in a thread."""
    with AuthProxy(upstream, certificates=certificates, authorization=authorization) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
            proxy.client.close()
