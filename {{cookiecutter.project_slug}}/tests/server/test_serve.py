"""The server as a process: over stdio and HTTP, in both protocol eras, until its client leaves or a signal comes."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers import OWN, eventually, program, until
from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client

from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.server import app
from {{cookiecutter.project_slug}}.server.http import LOOPBACK, transport_security, warn_of_hosts

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    Entries = Callable[[], list[dict[str, Any]]]
    Start = Callable[..., subprocess.Popen[str]]

CALLS = 300
ENDS = [("auto", None), ("legacy", None), ("auto", signal.SIGTERM), ("legacy", signal.SIGINT)]


@pytest.fixture
def over_stdio(tmp_path: Path, own_logging: Entries) -> Iterator[Callable[..., Any]]:
    """Return what makes the transport to a server process whose stderr goes to a file."""
    with (tmp_path / "stderr").open("w") as stderr:
        yield lambda arguments: stdio_client(
            StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ)), errlog=stderr
        )


async def call_many(client: Client) -> None:
    """Call a tool many times, many at once, each with an id of its own."""
    async with asyncio.TaskGroup() as group:
        for number in range(CALLS):
            group.create_task(client.call_tool("say", {"text": f"t-{number}"}, meta={"correlation_id": f"c-{number}"}))


def assert_all_delivered(entries: list[dict[str, Any]]) -> None:
    """Check that every call and every line of it arrived once, under its own id."""
    calls = [entry for entry in entries if entry["tool_name"] == "say"]
    assert sorted(call["correlation_id"] for call in calls) == sorted(f"c-{number}" for number in range(CALLS))
    assert all(call["input_args"]["text"] == call["correlation_id"].replace("c", "t") for call in calls)
    lines = {entry["correlation_id"]: entry["message"] for entry in entries if entry["module"] == "helpers"}
    assert lines == {f"c-{number}": f"said t-{number}" for number in range(CALLS)}


@pytest.mark.parametrize(("mode", "number"), ENDS)
async def test_every_call_is_delivered_however_a_stdio_server_ends(
    over_stdio: Callable[..., Any], serve_arguments: list[str], own_logging: Entries, mode: str, number: int | None
) -> None:
    """After EOF, SIGTERM and SIGINT: all calls, the one that still ran as cancelled, within two seconds."""
    async with Client(over_stdio(serve_arguments), mode=mode) as client:
        process_id = int((await client.call_tool("process_id", {})).content[0].text)
        await call_many(client)
        hanging = asyncio.create_task(client.call_tool("hang", {}, meta={"correlation_id": "hanging"}))
        await client.list_tools()
        begun = time.monotonic()
        if number is not None:
            os.kill(process_id, number)
            await eventually(lambda: not is_running(process_id))
            assert time.monotonic() - begun < 2
    hanging.cancel()
    assert time.monotonic() - begun < 2.5
    entries = own_logging()
    assert_all_delivered(entries)
    assert [entry["status"] for entry in entries if entry["tool_name"] == "hang"] == ["cancelled"]
    assert {entry["transport"] for entry in entries} == {"stdio"}


def is_running(process_id: int) -> bool:
    """Tell whether a process still does something."""
    try:
        os.kill(process_id, 0)
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError) as error:  # a file is missing where there is no /proc, too
        return isinstance(error, FileNotFoundError)


def talk(process: subprocess.Popen[str], number: int, method: str, **params: Any) -> dict[str, Any]:
    """Send a request by hand and return its answer; every line on stdout must be a message of the protocol."""
    request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    while (message := json.loads(process.stdout.readline())).get("id") != number:
        assert message["jsonrpc"] == "2.0"
    return message["result"]


HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}


def test_stdout_is_the_protocols_alone_and_stderr_may_stay_unread(
    own_logging: Entries, serve_arguments: list[str], start: Start
) -> None:
    """Tools that print, at import and when called, break nothing; 64 KB of unread stderr block nothing."""
    process = start(*serve_arguments)
    assert talk(process, 0, "initialize", **HELLO)["serverInfo"]["name"]
    for number in range(1, 501):
        result = talk(process, number, "tools/call", name="say", arguments={"text": "x" * 400})
        assert result["content"][0]["text"] == "x" * 400
    process.stdin.close()
    assert (process.wait(3), process.stdout.read()) == (0, "")
    assert len([entry for entry in own_logging() if entry["tool_name"] == "say"]) == 500


def test_what_tools_print_is_shown_on_stderr(own_logging: Entries, serve_arguments: list[str], start: Start) -> None:
    """Nothing is swallowed: prints and log lines stand there, and nothing of it on stdout."""
    process = start(*serve_arguments)
    talk(process, 0, "initialize", **HELLO)
    talk(process, 1, "tools/call", name="say", arguments={"text": "aloud"})
    out, err = process.communicate(timeout=5)
    assert out == ""
    assert all(text in err for text in ("printed at import", "printed by a tool", "said aloud", "say: success in"))


def test_a_hanging_destination_holds_up_neither_calls_nor_the_exit(
    own_logging: Entries, serve_arguments: list[str], start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another destination beside it has everything, and what the hanging one missed is said."""
    monkeypatch.setenv("LOG_DESTINATION_TYPE", f"helpers:HangingDestination,{OWN}")
    process = start(*serve_arguments)
    talk(process, 0, "initialize", **HELLO)
    begun = time.monotonic()
    for number in range(1, CALLS + 1):
        talk(process, number, "tools/call", name="process_id", arguments={})
    assert time.monotonic() - begun < 10
    begun = time.monotonic()
    _, err = process.communicate(timeout=5)
    assert time.monotonic() - begun < 2
    assert re.search(r"memory: written 0, retried \d+, dropped 3\d\d,", err)
    assert len([entry for entry in own_logging() if entry["tool_name"] == "process_id"]) == CALLS


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


BROKEN = """
from PACKAGE.cli import main
from PACKAGE.server.recording import RecordingMCPServer
async def fail(self): raise RuntimeError("the transport broke")
RecordingMCPServer.run_stdio_async = fail
raise SystemExit(main())
"""


def test_an_error_that_ends_the_server_is_recorded(own_logging: Entries, start: Start) -> None:
    """An unhandled exception is logged with its traceback and delivered; the exit code is 1."""
    process = start(*program(BROKEN))
    assert process.wait(10) == 1
    (entry,) = [entry for entry in own_logging() if entry["level"] == "ERROR"]
    assert "RuntimeError: the transport broke" in entry["extra_data"]["traceback"]


MCP_RUN = f"""
import importlib.util, logging, sys
from PACKAGE import tools
tools.__path__.append(sys.argv[1])
for name in [name for name in sys.modules if name.startswith("PACKAGE")]:
    if name != "PACKAGE" and not name.startswith("PACKAGE.tools"):
        del sys.modules[name]
spec = importlib.util.spec_from_file_location("server_module", {app.__file__!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
assert logging.getLogger().handlers == []
assert module.mcp is module.server is module.app
module.mcp.run("stdio")
"""


def test_the_sdk_can_run_the_app_by_its_path(own_logging: Entries, serve_arguments: list[str], start: Start) -> None:
    """As `mcp run` does it: a top-level module of another name, in which `mcp`, `server` and `app` are the server."""
    process = start(*program(MCP_RUN), serve_arguments[-1])
    talk(process, 0, "initialize", **HELLO)
    talk(process, 1, "tools/call", name="say", arguments={"text": "hi"})
    out, err = process.communicate(timeout=5)
    assert (process.returncode, out) == (0, "")
    assert "printed at import" in err
    assert [entry["status"] for entry in own_logging() if entry["tool_name"] == "say"] == ["success"]


async def test_python_m_serves(over_stdio: Callable[..., Any]) -> None:
    """The package and its `server.app` serve over stdio, as the command does."""
    first, second = (over_stdio(["-m", module]) for module in (PACKAGE, f"{PACKAGE}.server.app"))
    async with Client(first) as one, Client(second) as other:
        assert one.server_info == other.server_info
