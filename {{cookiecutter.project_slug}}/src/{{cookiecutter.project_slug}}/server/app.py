"""The server as an object: for this project's command, for tests, and for `mcp run` and the MCP Inspector."""

from __future__ import annotations

if not __package__:  # `mcp run` loads this file by its path, outside its package: give it its place back
    import importlib.util
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[2]))
    spec = importlib.util.find_spec(f"{Path(__file__).parents[1].name}.server.app")
    globals().update(__spec__=spec, __package__=spec.parent if spec is not None else None)

import logging
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..choices import COMMAND, DESCRIPTION, TITLE
from ..config import ServerConfig, load_config
from ..logging.capture import PrintedLines, capture_again
from ..logging.entries import ServerInfo
from ..logging.factory import create_log_destination
from ..logging.unified_logger import UnifiedLogger
from ..tools import register_tools
from .recording import RecordingMCPServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mcp.server import MCPServer

_logger = logging.getLogger(__name__)


def create_mcp_server(config: ServerConfig | None = None) -> RecordingMCPServer:
    """Start logging and return the server with all its tools; raises SettingError for a configuration that cannot work.

    Logging comes first: the SDK would set up the root logger otherwise.
    """
    config = config or load_config()
    info = ServerInfo(name=COMMAND, version=__version__, transport=config.transport)
    UnifiedLogger.initialize(create_log_destination(config), settings=config, server=info)
    server = RecordingMCPServer(
        name=COMMAND,
        title=TITLE,
        description=DESCRIPTION,
        version=__version__,
        lifespan=_stdout_is_the_protocols if config.transport == "stdio" else None,
    )
    register_tools(server)
    if gone := capture_again():
        _logger.warning(
            "a tool module removed or disabled %s, which is back now: logging is set up already, so do without "
            "`logger.remove()`, `logging.basicConfig(force=True)` and `logging.config.dictConfig`",
            " and ".join(gone),
        )
    return server


@asynccontextmanager
async def _stdout_is_the_protocols(_: MCPServer[Any]) -> AsyncIterator[dict[str, Any]]:
    """Show on stderr what a tool prints: a buffered `print` would reach the real stdout at exit."""
    import sys  # noqa: PLC0415 - the name above exists only under `mcp run`

    if sys.stderr is None:
        yield {}
        return
    printed = PrintedLines(UnifiedLogger.show, sys.stderr)
    with redirect_stdout(printed), redirect_stderr(printed):
        yield {}


def __getattr__(name: str) -> Any:
    """Make the server when `mcp run` or the Inspector asks for it, and not at import."""
    if name in {"mcp", "server", "app"}:
        import sys  # noqa: PLC0415 - as above

        with redirect_stdout(sys.stderr):  # what tool modules print while they are imported is no protocol either
            server = create_mcp_server()
        globals().update(mcp=server, server=server, app=server)
        return server
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


if __name__ == "__main__":
    from ..cli import main

    raise SystemExit(main())
