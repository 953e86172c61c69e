"""The HTTP transports: delivery when the server ends, accepted headers, and the address to listen on."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from helpers import until
from mcp import Client
from mcp.client.sse import sse_client

from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.server.http import KEEP_ALIVE, LOOPBACK_HOSTS, transport_security, warn_if_unreachable

from .server_helpers import HELLO, assert_all_delivered, call_many

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from .server_helpers import Entries, Start


@pytest.fixture
def over_http(own_logging: Entries, serve_arguments: list[str], start: Start, tmp_path: Path) -> Callable[..., Any]:
    """Return a function that starts an HTTP server on a free port and returns the process and the port."""

    def begin(transport: str, *options: str) -> tuple[subprocess.Popen[str], int]:
        path = tmp_path / "stderr"
        with path.open("w") as stderr:
            process = start(*serve_arguments, "--transport", transport, "--port", "0", *options, stderr=stderr)
        return process, int(until(lambda: re.search(r"running on http://127\.0\.0\.1:(\d+)", path.read_text()))[1])

    return begin


@pytest.mark.parametrize(
    ("transport", "mode", "number"),
    [
        ("streamable-http", "auto", signal.SIGTERM),
        ("streamable-http", "legacy", signal.SIGINT),
        ("sse", "legacy", signal.SIGTERM),
    ],
)
async def test_every_call_is_delivered_when_a_signal_ends_an_http_server(
    over_http: Callable[..., Any], own_logging: Entries, transport: str, mode: str, number: int
) -> None:
    """A connected client does not delay the end; the exit code is 128 plus the signal."""
    process, port = over_http(transport)
    url = f"http://127.0.0.1:{port}"
    try:
        async with Client(sse_client(f"{url}/sse") if transport == "sse" else f"{url}/mcp", mode=mode) as client:
            await call_many(client)
            process.send_signal(number)
            assert await asyncio.to_thread(process.wait, 3) == 128 + number
    except* OSError:
        pass  # the client loses its connection
    entries = own_logging()
    assert_all_delivered(entries)
    assert {entry["transport"] for entry in entries} == {transport}


@pytest.mark.parametrize("transport", ["streamable-http", "sse"])
def test_an_idle_connection_stays_open(over_http: Callable[..., Any], transport: str) -> None:
    """Clients keep theirs for 5 seconds, and load balancers for 60: no request fails on one that was just closed."""
    assert KEEP_ALIVE > 60
    _, port = over_http(transport)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for idle in (0, 6):
        time.sleep(idle)
        connection.request("GET", "/")
        response = connection.getresponse()
        response.read()
        assert response.status == 404
        assert connection.sock is not None
    connection.close()


def send(port: int, path: str = "/mcp", method: str = "POST", **headers: str) -> http.client.HTTPResponse:
    """Send a request, a POST with `initialize`, and return the head of the response."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO})
    accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body if method == "POST" else None, {**accept, **headers})
    response = connection.getresponse()
    connection.close()
    return response


def test_streamable_http_checks_host_and_origin(over_http: Callable[..., Any], own_logging: Entries) -> None:
    """Own and configured hosts get 200, other hosts 421, other origins 403; the session id is not logged."""
    process, port = over_http(
        "streamable-http", "--http-allowed-hosts", "named.example", "--http-path", "/here", "--log-level", "DEBUG"
    )
    own = send(port, "/here")
    assert own.status == 200
    assert send(port, "/here", Host=f"localhost:{port}", Origin=f"http://localhost:{port}").status == 200
    assert send(port, "/here", Host="named.example").status == 200
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example"):
        assert send(port, "/here", Host=host).status == 421
    assert send(port, "/here", Origin="http://evil.example").status == 403
    assert send(port, "/mcp").status == 404
    process.terminate()
    process.wait(5)
    assert own.headers["mcp-session-id"] not in json.dumps(own_logging())


async def test_sse_checks_the_host(over_http: Callable[..., Any], own_logging: Entries) -> None:
    """It is served at the configured path; the session id is not logged."""
    process, port = over_http("sse", "--http-path", "/events", "--log-level", "DEBUG")
    assert send(port, "/events", "GET").status == 200
    assert send(port, "/events", "GET", Host="evil.example").status == 421
    sessions: list[str] = []
    async with Client(sse_client(f"http://127.0.0.1:{port}/events", on_session_created=sessions.append), mode="legacy"):
        process.terminate()
        assert await asyncio.to_thread(process.wait, 5) == 128 + signal.SIGTERM
    assert sessions[0] not in json.dumps(own_logging())


@pytest.mark.parametrize(
    ("host", "own"), [("0.0.0.0", None), ("::", None), ("127.0.0.2", "127.0.0.2"), ("::1", "[::1]"), ("a.b", "a.b")]
)
def test_the_host_check_accepts_the_address_to_listen_on(host: str, own: str | None) -> None:
    """An address for all interfaces is not accepted, because no client sends it as its host."""
    security = transport_security(ServerConfig(http_host=host, http_allowed_origins="https://ok.example"))
    assert security.enable_dns_rebinding_protection
    assert {name.removesuffix(":*") for name in security.allowed_hosts} == {*LOOPBACK_HOSTS, own or "localhost"}
    assert "https://ok.example" in security.allowed_origins


@pytest.mark.parametrize(
    ("host", "allowed", "warnings"), [("0.0.0.0", "", 1), ("::", "", 1), ("::", "named.example", 0), ("::1", "", 0)]
)
def test_a_server_on_all_interfaces_needs_an_allowed_host(
    caplog: pytest.LogCaptureFixture, host: str, allowed: str, warnings: int
) -> None:
    """Without one, it would reject all requests from other machines; a warning names the setting."""
    warn_if_unreachable(ServerConfig(http_host=host, http_allowed_hosts=allowed))
    assert len(caplog.messages) == warnings
    assert all("HTTP_ALLOWED_HOSTS" in message for message in caplog.messages)


def test_a_port_in_use_is_reported(own_logging: Entries, serve_arguments: list[str], run: Any) -> None:
    """The server ends with one sentence on stderr that names the setting."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = run(*serve_arguments, "--transport", "streamable-http", "--port", port)
    assert result.returncode == 1
    (line,) = [line for line in result.stderr.splitlines() if "ERROR" in line]
    assert re.search(rf"HTTP_PORT is {port}, but .* address already in use", line)
