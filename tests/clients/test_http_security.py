"""Over HTTP a server answers its own clients only, and listens where it was told to."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from tests.support.protocol import INITIALIZE
from tests.support.serving import entries, serving

from .python_sdk import echo, http

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.project import Project
from tests.support.serving import Served

FIRST_REQUEST = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": INITIALIZE}


@pytest.fixture(scope="module", params=["streamable-http", "sse"])
def guarded(
    request: pytest.FixtureRequest, project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Serve for one more host and one more origin than by default."""
    allowed = {"HTTP_ALLOWED_HOSTS": "mcp.example.org", "HTTP_ALLOWED_ORIGINS": "https://app.example.org"}
    with serving(project, tmp_path_factory.mktemp("guarded"), transport=request.param, **allowed) as served:
        yield served


def test_its_own_host_is_answered(guarded: Served) -> None:
    """Loopback's names pass, with the port and as the origin, too."""
    assert _status(guarded) == 200
    for name in ("127.0.0.1", "localhost", "[::1]"):
        assert _status(guarded, Host=f"{name}:{guarded.port}") == 200
        assert _status(guarded, Origin=f"http://{name}:{guarded.port}") == 200


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.evil.example.org", "localhost.evil.example.org:8000"])
def test_a_foreign_host_is_refused(guarded: Served, host: str) -> None:
    """A name that someone else's DNS points here gets 421."""
    assert _status(guarded, Host=host) == 421


@pytest.mark.parametrize("origin", ["http://evil.example.org", "https://localhost.evil.example.org", "null"])
def test_a_foreign_origin_is_refused(guarded: Served, origin: str) -> None:
    """A page from elsewhere gets 403."""
    assert _status(guarded, Origin=origin) == 403


def test_a_host_that_was_named_is_answered(guarded: Served) -> None:
    """HTTP_ALLOWED_HOSTS admits its hosts, with any port, and HTTP_ALLOWED_ORIGINS its origins."""
    assert _status(guarded, Host="mcp.example.org") == 200
    assert _status(guarded, Host="mcp.example.org:8443", Origin="https://app.example.org") == 200


def test_host_and_port_are_options(project: Project, tmp_path: Path) -> None:
    """`--host` and `--port` say where the server listens, before HTTP_HOST."""
    options = ["--transport", "streamable-http", "--host", "localhost", "--port"]
    with serving(project, tmp_path, options=options, HTTP_HOST="nowhere.invalid") as served:
        assert anyio.run(_echo, served) == "hello"
    assert f"http://localhost:{served.port} " in (tmp_path / "server.log").read_text(encoding="utf-8")


def test_the_variable_host_is_no_setting(project: Project, tmp_path: Path) -> None:
    """HOST and PORT belong to compilers and platforms: neither says where the server listens."""
    with serving(project, tmp_path, HOST="x86_64-linux-gnu", PORT="1") as served:
        assert anyio.run(_echo, served) == "hello"


@pytest.mark.parametrize("transport", ["streamable-http", "sse"])
def test_a_session_id_is_recorded_nowhere(project: Project, tmp_path: Path, transport: str) -> None:
    """Whoever knows it can speak in the session: neither stderr nor a row holds it, not even at DEBUG."""
    with serving(project, tmp_path, transport=transport, LOG_LEVEL="DEBUG") as served, _opened(served) as response:
        session_id = response.headers.get("mcp-session-id") or _session_of(response)
    log = (tmp_path / "server.log").read_text(encoding="utf-8")
    assert "session" in log
    assert session_id not in log + json.dumps(entries(tmp_path))


async def _echo(served: Served) -> str:
    async with http(served) as client:
        return await echo(client)


def _status(served: Served, **headers: str) -> int:
    """Return the status of the answer to the first request of a client with these headers."""
    with _opened(served, **headers) as response:
        return response.status_code


@contextmanager
def _opened(served: Served, **headers: str) -> Iterator[httpx.Response]:
    """Send the first request of a client, and return the answer with its body still to come."""
    accept = {"Accept": "application/json, text/event-stream"}
    method, body = ("GET", None) if served.url.endswith("/sse") else ("POST", FIRST_REQUEST)
    with (
        httpx.Client(trust_env=False, timeout=30) as client,
        client.stream(method, served.url, json=body, headers=accept | headers) as response,
    ):
        yield response


def _session_of(response: httpx.Response) -> str:
    """Return the session's id from the first event over SSE, which is where to send messages."""
    line = next(line for line in response.iter_lines() if line.startswith("data: "))
    return line.partition("session_id=")[2]
