"""Serve until the client disconnects or a signal arrives."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest
from helpers import PATIENCE, program_path, until
from mcp import Client
from mcp.client.sse import sse_client

from {{cookiecutter.project_slug}}.choices import COMMAND
from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.server.http import LOOPBACK, transport_security, warn_of_hosts

from .server_helpers import HELLO, assert_all_delivered, call_many

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from .server_helpers import Entries, Start


@pytest.mark.parametrize("module", [PACKAGE, f"{PACKAGE}.server.app"])
async def test_python_m_serves_over_stdio(over_stdio: Callable[..., Any], start: Start, module: str) -> None:
    """The package and its `server.app` do the same as the command."""
    async with Client(over_stdio(["-m", module])) as client:
        assert client.server_info.name == COMMAND


def test_an_error_that_ends_the_server_is_recorded(own_logging: Entries, start: Start) -> None:
    """The traceback is delivered, and the exit code is 1."""
    process = start(program_path("serve_over_broken_transport"))
    assert process.wait(PATIENCE) == 1
    (entry,) = [entry for entry in own_logging() if entry["level"] == "ERROR"]
    assert "RuntimeError: the transport broke" in entry["extra_data"]["traceback"]


@pytest.fixture
def over_http(own_logging: Entries, serve_arguments: list[str], start: Start, tmp_path: Path) -> Callable[..., Any]:
    """Return what starts an HTTP server on a free port and gives the process and the port."""

    def begin(transport: str, *options: str) -> tuple[subprocess.Popen[str], int]:
        path = tmp_path / "stderr"
        with path.open("w") as stderr:
            process = start(*serve_arguments, "--transport", transport, "--port", "0", *options, stderr=stderr)
        return process, int(until(lambda: re.search(r"running on http://127\.0\.0\.1:(\d+)", path.read_text()))[1])

    return begin


@pytest.mark.parametrize(("transport", "mode", "number"), [
    ("streamable-http", "auto", signal.SIGTERM), ("streamable-http", "legacy", signal.SIGINT),
    ("sse", "legacy", signal.SIGTERM),
])  # fmt: skip
async def test_every_call_is_delivered_when_a_signal_ends_an_http_server(
    over_http: Callable[..., Any], own_logging: Entries, transport: str, mode: str, number: int
) -> None:
    """Also while the client is still connected; the exit code tells the signal."""
    process, port = over_http(transport)
    url = f"http://127.0.0.1:{port}"
    try:
        async with Client(sse_client(f"{url}/sse") if transport == "sse" else f"{url}/mcp", mode=mode) as client:
            await call_many(client)
            process.send_signal(number)
            assert await asyncio.to_thread(process.wait, 3) == 128 + number
    except* OSError:
        pass  # the client misses its server
    entries = own_logging()
    assert_all_delivered(entries)
    assert {entry["transport"] for entry in entries} == {transport}


def post(port: int, path: str = "/mcp", method: str = "POST", **headers: str) -> http.client.HTTPResponse:
    """Send `initialize` with the given headers and return the answer's head."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO})
    accept = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body if method == "POST" else None, {**accept, **headers})
    response = connection.getresponse()
    connection.close()
    return response


def test_host_and_origin_are_checked(over_http: Callable[..., Any], own_logging: Entries) -> None:
    """The own and the named ones get 200, a foreign Host 421, a foreign Origin 403; sessions stay secret."""
    process, port = over_http(
        "streamable-http", "--http-allowed-hosts", "named.example", "--http-path", "/here", "--log-level", "DEBUG"
    )
    own = post(port, "/here")
    assert own.status == 200
    assert post(port, "/here", Host=f"localhost:{port}", Origin=f"http://localhost:{port}").status == 200
    assert post(port, "/here", Host="named.example").status == 200
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1.evil.example"):
        assert post(port, "/here", Host=host).status == 421
    assert post(port, "/here", Origin="http://evil.example").status == 403
    assert post(port, "/mcp").status == 404
    process.terminate()
    process.wait(5)
    assert own.headers["mcp-session-id"] not in json.dumps(own_logging())


async def test_sse_checks_the_host_too(over_http: Callable[..., Any], own_logging: Entries) -> None:
    """At its own path; its session's id stays as secret."""
    process, port = over_http("sse", "--http-path", "/events", "--log-level", "DEBUG")
    assert post(port, "/events", "GET").status == 200
    assert post(port, "/events", "GET", Host="evil.example").status == 421
    sessions: list[str] = []
    async with Client(sse_client(f"http://127.0.0.1:{port}/events", on_session_created=sessions.append), mode="legacy"):
        process.terminate()
        assert await asyncio.to_thread(process.wait, 5) == 128 + signal.SIGTERM
    assert sessions[0] not in json.dumps(own_logging())


@pytest.mark.parametrize(
    ("host", "own"), [("0.0.0.0", None), ("::", None), ("127.0.0.2", "127.0.0.2"), ("::1", "[::1]"), ("a.b", "a.b")]
)
def test_the_address_that_is_listened_on_passes_the_check(host: str, own: str | None, caplog: Any) -> None:
    """Unless it is every one, which is no Host that a browser may send: to name none then is worth a warning."""
    config = ServerConfig(http_host=host, http_allowed_origins="https://ok.example")
    security = transport_security(config)
    assert security.enable_dns_rebinding_protection
    assert {name.removesuffix(":*") for name in security.allowed_hosts} == {*LOOPBACK, own or "localhost"}
    assert "https://ok.example" in security.allowed_origins
    warn_of_hosts(config.model_copy(update={"http_allowed_hosts": ["named.example"]}))
    warn_of_hosts(config)
    assert len(caplog.messages) == (own is None)


def test_a_port_that_is_taken_is_said(own_logging: Entries, serve_arguments: list[str], run: Any) -> None:
    """The server ends with one sentence on stderr that names the setting."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = run(*serve_arguments, "--transport", "streamable-http", "--port", port)
    assert result.returncode == 1
    (said,) = [line for line in result.stderr.splitlines() if "ERROR" in line]
    assert re.search(rf"HTTP_PORT is {port}, but .* address already in use", said)
