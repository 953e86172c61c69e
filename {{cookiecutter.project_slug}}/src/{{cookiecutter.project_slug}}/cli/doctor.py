"""`doctor`: whether the configuration is sound, and every destination takes an entry and gives it back."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from ..choices import COMMAND, DESTINATIONS, LOCAL, PRODUCTION
from ..config import CONFIG_FILE, ServerConfig, WithLogin, destination_of
from ..logging.correlation import new_id
from ..logging.destinations.base import LogEntry
from ..logging.destinations.console import printable
from ..logging.errors import LoggingError, SettingError, text_of
from ..logging.factory import open_lane, wanted_names
from ..logging.redaction import without_login
from ..logging.settings import full_path
from . import harmless

if TYPE_CHECKING:
    from ..logging.destinations.buffered import BufferedDestination

POLL = 0.1
PATIENCE = 5.0
"""Seconds a destination has to give a probe back: some show an entry a moment after they took it."""
_URL = re.compile(r"([\w+.-]+://)(?:[^@/?#]*@)?([^@:?#]*(?::\d+[^@:?#]*)*)(?:\?[^@]*)?")
"""A URL of hosts: what goes before and after its login and before its query."""


async def run_doctor(config: ServerConfig) -> int:
    """Print one line per finding and return 1 when something that is switched on does not work."""
    logging.getLogger().addHandler(logging.NullHandler())  # the findings are printed, not logged
    read = printable(_files(config.config_file or CONFIG_FILE))
    print(f"ok    configuration: {read}, transport {config.transport}, log level {config.log_level}")
    wanted = wanted_names(config)
    findings = [await _check(name, config) for name in wanted]
    for name in (*LOCAL, *PRODUCTION):
        if name not in wanted:
            print(f"off   {name}: {_how_to_switch_on(name)}")
            if name in config.problems:
                print(f"      {harmless(config.problems[name])}")
    if not wanted:
        print("ok    stderr: the only place entries go to")
    return 0 if all(findings) else 1


def _files(config_file: Path) -> str:
    """Return which files were read, and which were looked for in vain."""
    paths = [Path(str(ServerConfig.model_config["env_file"])), config_file]
    found = [str(path.absolute()) for path in paths if path.is_file()]
    missing = " and ".join(f"no {path}" for path in paths if not path.is_file())
    return ", ".join([*found, f"{missing} in {Path.cwd()}"] if missing else found)


async def _check(name: str, config: ServerConfig) -> bool:
    try:
        async with open_lane(name, config) as lane:
            lane.put(entry := _probe())
            await lane.flush()
            works = await _report(lane, entry)
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


async def _report(lane: BufferedDestination, entry: LogEntry) -> bool:
    counters = lane.counters
    if not counters.written:
        print(f"FAIL  {harmless(str(counters))}")
        return False
    try:
        found = await _comes_back(lane, entry)
    except NotImplementedError:
        print(f"ok    {harmless(str(counters))} (write-only: not read back)")
        return True
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is the finding
        print(f"FAIL  {harmless(f'{lane.name}: the probe was written but not read back: {text_of(error)}')}")
        return False
    outcome = "read back" if found else "written, but not found again"
    print(f"{'ok   ' if found else 'FAIL '} {harmless(str(counters))} ({outcome})")
    return found


async def _comes_back(lane: BufferedDestination, entry: LogEntry) -> bool:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if await lane.destination.query(correlation_id=entry.correlation_id, limit=1):
            return True
        await asyncio.sleep(POLL)
    return False


def _how_to_fix(name: str) -> str:
    for kind in DESTINATIONS:
        if kind.name == name:
            return f"to fix it: {kind.remedy}; see docs/destinations/{name}.md"
    valid = " or ".join([*PRODUCTION, "the package.module:Class of a LogDestination that works"])
    return f"to fix it: LOG_DESTINATION_TYPE must name {valid}; see docs/configuration.md"


def _how_to_switch_on(name: str) -> str:
    if name in LOCAL:
        return "switched off by ENABLE_LOCAL_LOGGING=false"
    return f"switch it on with ENABLE_PRODUCTION_LOGGING=true LOG_DESTINATION_TYPE={name}"


def _settings_of(name: str, config: ServerConfig) -> str:
    """Return a destination's own settings without their secrets: where it is, above all."""
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
    return without_login(value) if isinstance(value, WithLogin) else "" if value is None else str(value)
