"""The server as a process: over stdio, in both protocol eras, until its client leaves or a signal comes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers import OWN, eventually, program
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.server import app

from .server_helpers import CALLS, HELLO, assert_all_delivered, call_many

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from .server_helpers import Entries, Start

ENDS = [("auto", None), ("legacy", None), ("auto", signal.SIGTERM), ("legacy", signal.SIGINT)]


@pytest.fixture
def over_stdio(tmp_path: Path, own_logging: Entries) -> Iterator[Callable[..., Any]]:
    """Return what makes the transport to a server process whose stderr goes to a file."""
    with (tmp_path / "stderr").open("w") as stderr:
        yield lambda arguments: stdio_client(
            StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ)), errlog=stderr
        )


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
