"""Create the server for the command, or record why that is impossible."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from ..logging.errors import SettingError
from ..logging.unified_logger import UnifiedLogger
from .crash import record_crash
from .stdio import stdout_as_stderr
from .threads import exit_past_threads

if TYPE_CHECKING:
    from ..config import ServerConfig
    from .recording import RecordingMCPServer


def start_server(config: ServerConfig) -> RecordingMCPServer | None:
    """Return the server with all its tools, or None after an error, which is then recorded and delivered.

    Raise SettingError for an unusable configuration.
    """
    try:
        from .app import create_mcp_server  # noqa: PLC0415 - the SDK may be the one that cannot be imported

        with stdout_as_stderr() if config.transport == "stdio" else nullcontext():
            return create_mcp_server(config)
    except SettingError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - tool modules raise anything, and call `sys.exit`
        record_crash(error, config)
        UnifiedLogger.shutdown()
        exit_past_threads(1)
        return None
