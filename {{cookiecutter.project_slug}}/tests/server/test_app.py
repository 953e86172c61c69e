"""Create the server: for the command, and for `mcp run`."""

from __future__ import annotations

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
    assert [entry["status"] for entry in own_logging() if entry["tool_name"] == "say"] == ["success"]
