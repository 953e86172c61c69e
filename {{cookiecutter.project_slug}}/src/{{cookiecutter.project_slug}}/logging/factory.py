"""Build destinations from settings. This is the only module that wraps them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib import import_module

from .destinations import LOCAL, PRODUCTION, DestinationSettings
from .destinations.base import LogDestination
from .destinations.buffered import BufferedDestination
from .destinations.composite import CompositeDestination
from .destinations.retry import RetryWrapper
from .errors import LoggingError, PathError, SettingError
from .settings import LogSettings

SETTING = "LOG_DESTINATION_TYPE"  # the setting that names production destinations

_logger = logging.getLogger(__name__)


def create_log_destination(settings: DestinationSettings) -> LogDestination:
    """Build all enabled destinations, each with retries behind its own buffer.

    A destination that cannot be built is reported on stderr and left out. Raise SettingError if none of the enabled
    ones can be built, except for a place on this machine: whether it exists does not decide whether tools run. If no
    destination is enabled, the result delivers nowhere.
    """
    destinations, problems, without_place = [], [], []
    enabled = enabled_names(settings)
    for name in enabled:
        try:
            destinations.append(create_destination(name, settings))
        except PathError as error:
            without_place.append(f"{name} gets no entries: {error}")
        except LoggingError as error:
            problems.append(str(error))
    if problems and not destinations:
        raise SettingError("\n".join(problems))
    for problem in (*problems, *without_place):
        _logger.error(problem)
    for name, problem in settings.problems.items():
        if name not in enabled:
            _logger.warning("%s is switched off, but %s", name, problem)
    return CompositeDestination([buffer for each in destinations for buffer in buffers_of(each, settings)])


def buffers_of(destination: LogDestination, settings: LogSettings) -> list[BufferedDestination]:
    """Wrap a destination in retries and a buffer; a composite gives one buffer per part, a buffer stays as it is."""
    if isinstance(destination, CompositeDestination):
        return [buffer for part in destination.destinations for buffer in buffers_of(part, settings)]
    if isinstance(destination, BufferedDestination):
        return [destination]
    if not isinstance(destination, RetryWrapper):
        destination = RetryWrapper(
            destination,
            settings.log_retry_attempts,
            settings.log_retry_delay_ms,
            write_timeout_ms=settings.log_write_timeout_ms,
        )
    return [BufferedDestination(destination, capacity=settings.log_buffer_size)]


def enabled_names(settings: DestinationSettings) -> list[str]:
    """Return the names of all enabled destinations, without duplicates."""
    local = LOCAL if settings.enable_local_logging else {}
    return list(dict.fromkeys([*local, *production_names(settings)]))


def production_names(settings: DestinationSettings) -> list[str]:
    """Return the enabled production destinations: those named in the setting, or the only one in the project."""
    if not settings.enable_production_logging:
        return []
    named = [name for part in settings.log_destination_type.split(",") if (name := part.strip())]
    if not named and len(PRODUCTION) == 1:
        return list(PRODUCTION)
    return list(dict.fromkeys(named)) or [""]


def create_destination(
    name: str, settings: DestinationSettings, *, given_as: str = SETTING, offered: Iterable[str] = PRODUCTION
) -> LogDestination:
    """Build one destination, without wrappers, by its name or its dotted path.

    `given_as` is the setting or option, `offered` its valid names. Raise SettingError for an invalid name or setting,
    PathError for a place that does not exist.
    """
    known = {**LOCAL, **PRODUCTION}
    if ":" in name:
        return _load(name, settings, given_as)
    if name not in known:
        valid = ", ".join([*offered, "package.module:Class"])
        msg = f"{given_as} is {name!r}; valid are: {valid}."
        raise SettingError(msg)
    if name in settings.problems:
        raise SettingError(settings.problems[name])
    try:
        return known[name].from_config(settings)
    except RuntimeError as error:  # raised by pathlib if there is no home folder
        msg = f"A file of the {name} destination cannot be found: {error} Use its full path."
        raise PathError(msg) from error


def _load(path: str, settings: DestinationSettings, given_as: str) -> LogDestination:
    """Build a destination of the user's, with `from_config(settings)` if it has that, else without arguments."""
    module, _, attribute = path.partition(":")
    try:
        factory = getattr(import_module(module), attribute)
        destination = factory.from_config(settings) if hasattr(factory, "from_config") else factory()
    except LoggingError:
        raise
    except Exception as error:
        msg = f"{given_as} is {path!r}, which cannot be loaded: {type(error).__name__}: {error}."
        raise SettingError(msg) from error
    if not isinstance(destination, LogDestination):
        msg = f"{given_as} is {path!r}, which makes a {type(destination).__name__}, not a LogDestination."
        raise SettingError(msg)
    return destination
