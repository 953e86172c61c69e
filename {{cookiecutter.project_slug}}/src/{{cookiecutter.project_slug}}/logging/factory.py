"""From configuration to destinations."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING

from ..choices import LOCAL, PRODUCTION
from .destinations.base import LogDestination, name_of
from .destinations.buffered import BufferedDestination
from .destinations.wrappers import CompositeDestination, RetryWrapper
from .errors import LoggingError, SettingError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from ..config import ServerConfig

SETTING = "LOG_DESTINATION_TYPE"
"""What names a destination where nothing else does."""

_logger = logging.getLogger(__name__)


def create_log_destination(config: ServerConfig) -> LogDestination:
    """Build the destinations that are switched on, each behind a buffer of its own.

    What cannot be built is said on stderr in one sentence and left out. Raises SettingError when destinations were
    asked for and none could be built; where none was asked for, the result delivers nowhere.
    """
    lanes, problems = [], []
    wanted = wanted_names(config)
    for name in wanted:
        try:
            lanes.append(create_lane(name, config))
        except LoggingError as error:
            problems.append(str(error))
    if problems and not lanes:
        raise SettingError("\n".join(problems))
    for problem in problems:
        _logger.error(problem)
    for name, problem in config.problems.items():
        if name not in wanted:
            _logger.warning("%s is switched off, but %s", name, problem)
    return CompositeDestination(lanes)


def create_lane(name: str, config: ServerConfig, *, given_as: str = SETTING) -> BufferedDestination:
    """Build one destination by its name or dotted path behind its buffer, with retries where it is not local."""
    destination = create_destination(name, config, given_as=given_as)
    if name not in LOCAL:
        destination = RetryWrapper.configured(destination, config)
    return BufferedDestination(destination, capacity=config.log_buffer_size)


@asynccontextmanager
async def open_lane(name: str, config: ServerConfig, *, given_as: str = SETTING) -> AsyncIterator[BufferedDestination]:
    """Give one destination behind its buffer, open; its end takes no longer than LOG_DRAIN_TIMEOUT_MS.

    Whoever wants entries delivered flushes before; a destination that cannot be closed is no failure.
    """
    lane = create_lane(name, config, given_as=given_as)
    await lane.open()
    try:
        yield lane
    finally:
        with suppress(Exception):
            async with asyncio.timeout(config.log_drain_timeout_ms / 1000):
                await lane.close()


def wanted_names(config: ServerConfig) -> list[str]:
    """Return the names of all destinations that are switched on, each once."""
    local = LOCAL if config.enable_local_logging else {}
    return list(dict.fromkeys([*local, *production_names(config)]))


def production_names(config: ServerConfig) -> list[str]:
    """Return the production destinations that are switched on: those named, or the only one there is."""
    if not config.enable_production_logging:
        return []
    named = [name for part in config.log_destination_type.split(",") if (name := part.strip())]
    if not named and len(PRODUCTION) == 1:
        return list(PRODUCTION)
    return list(dict.fromkeys(named)) or [""]


def create_destination(
    name: str, config: ServerConfig, *, given_as: str = SETTING, offered: Iterable[str] = PRODUCTION
) -> LogDestination:
    """Build one bare destination by its name or dotted path; raise SettingError when it is unknown or malformed.

    `given_as` is the setting or the option that named it, `offered` what could be named there.
    """
    known: dict[str, Callable[[ServerConfig], LogDestination]] = {**LOCAL, **PRODUCTION}
    if ":" in name:
        return _load(name, config, given_as)
    if name not in known:
        valid = ", ".join([*offered, "package.module:Class"])
        msg = f"{given_as} is {name!r}; valid are: {valid}."
        raise SettingError(msg)
    if name in config.problems:
        raise SettingError(config.problems[name])
    try:
        return known[name](config)
    except RuntimeError as error:  # pathlib's, about a home that is not there
        msg = f"A file of the {name} destination cannot be found: {error} Name it by its full path."
        raise SettingError(msg) from error


def _load(path: str, config: ServerConfig, given_as: str) -> LogDestination:
    """Build a destination of the user's own: by `from_config(config)` where it has that, else without arguments."""
    module, _, attribute = path.partition(":")
    try:
        kind = getattr(import_module(module), attribute)
        destination = kind.from_config(config) if hasattr(kind, "from_config") else kind()
    except LoggingError:
        raise
    except Exception as error:
        msg = f"{given_as} is {path!r}, which cannot be loaded: {type(error).__name__}: {error}."
        raise SettingError(msg) from error
    if not isinstance(destination, LogDestination):
        msg = f"{given_as} is {path!r}, which makes a {name_of(destination)}, not a LogDestination."
        raise SettingError(msg)
    return destination
