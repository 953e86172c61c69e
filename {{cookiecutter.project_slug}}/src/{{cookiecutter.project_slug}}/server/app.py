"""Create the server: for this project's command, for tests, and for `mcp run` and the MCP Inspector."""

from __future__ import annotations

if not __package__:  # `mcp run` loads this file by path, outside its package: restore the package
    import importlib.util
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).parents[2]))
    spec = importlib.util.find_spec(f"{Path(__file__).parents[1].name}.server.app")
    globals().update(__spec__=spec, __package__=spec.parent if spec is not None else None)

import logging
from typing import Any

from .. import __version__
from ..choices import COMMAND, DESCRIPTION, TITLE
from ..config import ServerConfig, load_config
from ..logging.entries import ServerInfo
from ..logging.errors import SettingError
from ..logging.factory import create_log_destination
from ..logging.unified_logger import UnifiedLogger
from ..tools import register_tools
from .crash import record_crash
from .recording import RecordingMCPServer
from .stdio import prints_as_log_lines, stdout_as_stderr

_logger = logging.getLogger(__name__)


def create_mcp_server(config: ServerConfig | None = None) -> RecordingMCPServer:
    """Start logging and return the server with all its tools; raise SettingError for an unusable configuration.

    Logging starts first, because the SDK would configure the root logger otherwise.
    """
    config = config or load_config()
    info = ServerInfo(name=COMMAND, version=__version__, transport=config.transport)
    UnifiedLogger.initialize(create_log_destination(config), settings=config, server=info)
    for sentence in config.unread_files:
        _logger.error(sentence)
    for sentence in config.unknown_keys:
        _logger.warning(sentence)
    server = RecordingMCPServer(
        name=COMMAND,
        title=TITLE,
        description=DESCRIPTION,
        version=__version__,
        lifespan=prints_as_log_lines if config.transport == "stdio" else None,
    )
    register_tools(server)
    server.restore_logging("a tool module")
    return server


def __getattr__(name: str) -> Any:
    """Create the server when `mcp run` or the Inspector asks for it, not at import."""
    if name in {"mcp", "server", "app"}:
        server = _create_for_others()
        globals().update(mcp=server, server=server, app=server)
        return server
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def _create_for_others() -> RecordingMCPServer:
    """Create the server; record an error that prevents it, and let the caller report it in its own way."""
    config = load_config()
    try:
        with stdout_as_stderr():
            return create_mcp_server(config)
    except SettingError:
        raise
    except (Exception, SystemExit) as error:
        record_crash(error, config)
        raise


if __name__ == "__main__":
    import runpy

    runpy.run_module(__package__.partition(".")[0], run_name="__main__")
