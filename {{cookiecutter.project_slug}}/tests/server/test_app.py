"""Create the server: for the command, and for `mcp run`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from example_tools import register
from helpers import program_path
from mcp import Client

from {{cookiecutter.project_slug}} import __version__
from {{cookiecutter.project_slug}}.choices import COMMAND, DESCRIPTION, TITLE
from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger
from {{cookiecutter.project_slug}}.server import app
from {{cookiecutter.project_slug}}.server.app import create_mcp_server

from .server_helpers import HELLO, request

if TYPE_CHECKING:
    from .server_helpers import Entries, Start


async def test_the_server_has_the_name_of_the_project() -> None:
    """Clients see name, title, description and version; calls are recorded at once."""
    config = ServerConfig(enable_local_logging=False, log_level="warning")
    server = create_mcp_server(config)
    register(server)
    async with Client(server, mode="legacy") as client:
        info = client.server_info
        assert (info.name, info.title, info.version) == (COMMAND, TITLE, __version__)
        assert info.description == DESCRIPTION
        await client.call_tool("crash", {})
    console = UnifiedLogger.counters()[-1]
    assert console.destination == "console"
    assert console.accepted >= 2


def test_mcp_run_can_load_the_app_by_its_path(own_logging: Entries, serve_arguments: list[str], start: Start) -> None:
    """It loads a top-level module with another name; `mcp`, `server` and `app` are the server."""
    folder = serve_arguments[-1]
    process = start(program_path("mcp_run"), app.__file__, folder)
    request(process, 0, "initialize", **HELLO)
    request(process, 1, "tools/call", name="say", arguments={"text": "hi"})
    out, err = process.communicate(timeout=5)
    assert (process.returncode, out) == (0, "")
    assert "printed at import" in err
    assert [entry["status"] for entry in own_logging() if entry["log_type"] == "tool_execution"] == ["success"]


def test_a_call_that_runs_at_the_end_of_mcp_run_is_recorded(
    own_logging: Entries, serve_arguments: list[str], start: Start
) -> None:
    """The SDK's own loop cancels it and ends at once."""
    process = start(program_path("mcp_run"), app.__file__, serve_arguments[-1])
    request(process, 0, "initialize", **HELLO)
    params = {"name": "hang", "arguments": {}}
    process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}) + "\n")
    process.stdin.flush()
    request(process, 2, "tools/call", name="say", arguments={"text": "hi"})
    process.communicate(timeout=5)
    assert [entry["status"] for entry in own_logging() if entry["tool_name"] == "hang"] == ["cancelled"]
