"""The verb `doctor`: check the configuration, the tools, and that every destination accepts and returns an entry."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from ..choices import COMMAND
from ..config import ServerConfig, TextWithLogin, destination_of
from ..logging import destinations
from ..logging.correlation import new_id
from ..logging.destinations import LOCAL, PRODUCTION
from ..logging.destinations.failure_reporter import FailureReporter
from ..logging.entry import LogEntry
from ..logging.errors import LoggingError, SettingError, describe_error
from ..logging.factory import enabled_names
from ..logging.printable import printable
from ..logging.redaction import RECOGNISED, without_login
from ..logging.settings import full_path
from ..unread_files import CONFIG_FILE, ENV_FILE, why_unread
from .check_tools import check_tools
from .output import harmless
from .sending import open_buffer

if TYPE_CHECKING:
    from ..logging.destinations.buffered import BufferedDestination

POLL_INTERVAL = 0.1
PATIENCE = 5.0
"""Seconds a destination has to return the probe: some show an entry only after a moment."""
_URL = re.compile(r"([\w+.-]+://)(?:[^@/?#]*@)?([^@:?#]*(?::\d+[^@:?#]*)*)(?:\?[^@]*)?")
"""A URL of hosts: the parts before and after its login, without its query."""


async def run_doctor(config: ServerConfig) -> int:
    """Print one line per finding; return 1 if something that is enabled does not work."""
    logging.getLogger().addHandler(logging.NullHandler())  # the findings are printed, not logged
    read = printable(_files(config.config_file or CONFIG_FILE))
    print(f"ok    configuration: {read}, transport {config.transport}, log level {config.log_level}")
    for sentence in config.unread_files:
        print(f"FAIL  configuration: {harmless(sentence)}")
    print(f"ok    redaction: {RECOGNISED} are recognised, other secrets are not; see docs/redaction.md")
    for sentence in config.unknown_keys:
        print(f"warn  {harmless(sentence)}")
    enabled = enabled_names(config)
    findings = [not config.unread_files, *[await _check(name, config) for name in enabled]]
    for name in (*LOCAL, *PRODUCTION):
        if name not in enabled:
            print(f"off   {name}: {_how_to_switch_on(name)}")
            if name in config.problems:
                print(f"      {harmless(config.problems[name])}")
    if not enabled:
        print("ok    stderr: the only destination")
    findings.append(await check_tools())
    return 0 if all(findings) else 1


def _files(config_file: Path) -> str:
    """Return the files that were read, and those that were not."""
    paths = [ENV_FILE, config_file]
    found = [path for path in paths if not why_unread(path) and path.is_file()]
    missing = " and ".join(_missing(path) for path in paths if path not in found)
    names = [str(path.absolute()) for path in found]
    return ", ".join([*names, f"{missing} in {_working_folder()}"] if missing else names)


def _missing(path: Path) -> str:
    if why_unread(path):
        return f"no readable {path}"
    return f"no {path}, which is a folder," if path.is_dir() else f"no {path}"


def _working_folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "the working folder, which does not exist"


async def _check(name: str, config: ServerConfig) -> bool:
    with _warnings_of_destinations() as warnings:
        works = await _try(name, config)
    for warning in warnings:
        print(f"warn  {harmless(warning)}")
    return works


@contextmanager
def _warnings_of_destinations() -> Iterator[list[str]]:
    """Collect what destinations warn about, such as a variable that they cannot use."""
    collector = _WarningCollector()
    logger = logging.getLogger(destinations.__name__)
    logger.addHandler(collector)
    try:
        yield collector.warnings
    finally:
        logger.removeHandler(collector)


class _WarningCollector(logging.Handler):
    """Keep warnings, except those about a failed delivery, which is a finding already."""

    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a warning."""
        if record.levelno == logging.WARNING and record.name != FailureReporter.__module__:
            self.warnings.append(record.getMessage())


async def _try(name: str, config: ServerConfig) -> bool:
    try:
        async with open_buffer(name, config) as buffer:
            buffer.put(entry := _probe())
            await buffer.flush()
            works = await _report(buffer, entry)
    except LoggingError as error:
        print(f"FAIL  {harmless(f'{name}: {error}' if name else str(error))}")
        print(f"      {_how_to_fix(name)}")
        return False
    if not works:
        print(f"      {_how_to_fix(name)}")
    if settings := _settings_of(name, config):
        print(f"      {printable(settings)}")
    return works


def _probe() -> LogEntry:
    return LogEntry(
        correlation_id=f"doctor-{new_id()}",
        timestamp=datetime.now(UTC),
        level="INFO",
        log_type="internal",
        message=f"probe of {COMMAND} doctor",
    )


async def _report(buffer: BufferedDestination, entry: LogEntry) -> bool:
    works, outcome = await _outcome(buffer, entry)
    print(f"{'ok   ' if works else 'FAIL '} {harmless(f'{buffer.name}: {outcome}')}")
    return works


async def _outcome(buffer: BufferedDestination, entry: LogEntry) -> tuple[bool, str]:
    """Return whether the probe arrived, and what to say about it."""
    counters = buffer.counters
    if not counters.written:
        return False, counters.last_error or str(counters)
    written = "a test entry was written" + (f" after {counters.retried} retries" if counters.retried else "")
    try:
        found = await _comes_back(buffer, entry)
    except NotImplementedError:
        return True, f"{written} (write-only: not read back)"
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is the finding
        return False, f"{written}, but it cannot be read back: {describe_error(error)}"
    return found, f"{written} and read back" if found else f"{written}, but it is not found"


async def _comes_back(buffer: BufferedDestination, entry: LogEntry) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if await buffer.destination.query(correlation_id=entry.correlation_id, limit=1):
            return True
        await asyncio.sleep(POLL_INTERVAL)
    return False


def _how_to_fix(name: str) -> str:
    if (destination := {**LOCAL, **PRODUCTION}.get(name)) is not None:
        return f"to fix it: {destination.fix_hint}; see docs/destinations/{name}.md"
    valid = " or ".join([*PRODUCTION, "the package.module:Class of a LogDestination that works"])
    return f"to fix it: LOG_DESTINATION_TYPE must name {valid}; see docs/configuration.md"


def _how_to_switch_on(name: str) -> str:
    if name in LOCAL:
        return "switched off by ENABLE_LOCAL_LOGGING=false"
    return f"switch it on with ENABLE_PRODUCTION_LOGGING=true LOG_DESTINATION_TYPE={name}"


def _settings_of(name: str, config: ServerConfig) -> str:
    """Return the settings of a destination without their secrets."""
    values = {field: getattr(config, field) for field in ServerConfig.model_fields if destination_of(field) == name}
    shown = {field: text for field, value in values.items() if (text := _public_part(value))}
    return ", ".join(f"{field.upper()}={text}" for field, text in shown.items())


def _public_part(value: object) -> str:
    if isinstance(value, SecretStr):
        url = _URL.fullmatch(value.get_secret_value())
        return url[1] + url[2] if url else str(value)
    if isinstance(value, list):
        return ",".join(map(_public_part, value))
    if isinstance(value, Path):
        with suppress(SettingError):
            value = full_path(value, setting="")
        return str(value)
    return without_login(value) if isinstance(value, TextWithLogin) else "" if value is None else str(value)
