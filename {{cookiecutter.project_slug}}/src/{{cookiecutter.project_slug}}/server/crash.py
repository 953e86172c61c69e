"""Record that the server could not start: MCP clients often hide stderr, but the store can be read."""

from __future__ import annotations

import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__, tools
from ..choices import COMMAND
from ..logging.destinations import LOCAL
from ..logging.destinations.composite import CompositeDestination
from ..logging.entries import ServerInfo, class_name
from ..logging.errors import LoggingError, describe_error
from ..logging.factory import create_destination, enabled_names
from ..logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from ..config import ServerConfig


def record_crash(error: BaseException, config: ServerConfig) -> None:
    """Record why the server cannot start, with a traceback, whatever a tool module has done to the loggers."""
    if not UnifiedLogger.counters():  # logging has not started
        info = ServerInfo(name=COMMAND, version=__version__, transport=config.transport)
        UnifiedLogger.initialize(_local_destinations(config), settings=config, server=info)
    entries = UnifiedLogger.entries()
    message = entries.text(f"the server cannot start because of an error in {place_of(error)}")
    entry = entries.new("internal", "CRITICAL", datetime.now(UTC), message)
    entry.error_message, entry.error_type = entries.error_text(error), class_name(error)
    entry.traceback = entries.traceback(error)
    UnifiedLogger.emit(entry)


def last_line(error: BaseException) -> str:
    """Return the class and the text of an exception, as the last line of its traceback shows them."""
    return ": ".join(dict.fromkeys((class_name(error), describe_error(error))))


def place_of(error: BaseException) -> str:
    """Return the file and line to look at first: the last one of a tool module, else the last one."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename is not None:
        places.append((error.filename, error.lineno))
    in_tools = [place for place in places if _is_tool_module(Path(place[0]))]
    file, line = (in_tools or places)[-1]
    return f"{file}, line {line}"


def _is_tool_module(path: Path) -> bool:
    return path != Path(tools.__file__) and any(path.is_relative_to(folder) for folder in tools.__path__)


def _local_destinations(config: ServerConfig) -> CompositeDestination:
    """Return the local destinations that are enabled and can be built."""
    destinations = []
    for name in enabled_names(config):
        if name in LOCAL:
            with suppress(LoggingError):
                destinations.append(create_destination(name, config))
    return CompositeDestination(destinations)
