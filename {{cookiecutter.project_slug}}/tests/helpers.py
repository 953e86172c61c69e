"""What many tests share: entries, waiting for a condition, and files of JSON lines."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from {{cookiecutter.project_slug}}.logging.destinations import BufferedDestination
from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PATIENCE = 60.0
"""Seconds to wait for a condition before a test fails."""
PROGRAMS = Path(__file__).parent / "fixtures"

ARGUMENTS = {"text": 'say "hi"\nC:\\new', "items": [{"count": 1}, True, 2.5, "\u00c9t\u00e9"]}
SEARCHES = {
    'say "hi"': 1,
    "C:\\NEW": 1,
    'hi"\nc': 1,
    "2.5": 1,
    "\u00c9t": 1,
    '"count":1': 0,
    "count": 0,
    "{": 0,
}
"""Texts, and how many of the values in ARGUMENTS contain them."""


def make_entry(message: str = "hello", **values: Any) -> LogEntry:
    """Return an entry with these fields; the others have defaults."""
    defaults = {"correlation_id": "c-1", "timestamp": datetime.now(UTC), "level": "INFO", "log_type": "internal"}
    return LogEntry(**{**defaults, "message": message, **values})


class Broken:
    """An object whose `repr` and `str` raise."""

    def __repr__(self) -> NoReturn:
        """Raise."""
        raise RuntimeError

    __str__ = __repr__


def require_backend(host: str, port: int, sentence: str) -> None:
    """Fail with this sentence if nothing listens on the port."""
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError:
        pytest.fail(sentence, pytrace=False)


def until(condition: Callable[[], Any], timeout: float = PATIENCE) -> Any:
    """Wait until the condition returns something true, and return it; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < deadline, "the condition was never met"
        threading.Event().wait(0.005)
    return result


async def eventually(condition: Callable[[], Any], timeout: float = PATIENCE) -> Any:
    """Do the same as `until` without blocking the event loop."""
    async with asyncio.timeout(timeout):
        while not (result := condition()):  # noqa: ASYNC110 - other threads and processes meet the conditions
            await asyncio.sleep(0.005)
    return result


def assert_nobody_waited(seconds: Sequence[float]) -> None:
    """Check that 99 % of the steps took less than 50 ms, and that none waited for a write."""
    in_order = sorted(seconds)
    assert in_order[len(in_order) * 99 // 100] < 0.05
    assert in_order[-1] < 0.45


async def deliver(destination: Any, entries: Sequence[LogEntry], **options: Any) -> BufferedDestination:
    """Send entries through a buffer, and close it."""
    buffer = BufferedDestination(destination, **options)
    await buffer.open()
    for entry in entries:
        buffer.put(entry)
    await buffer.flush()
    await buffer.close()
    return buffer


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects in a file of JSON lines; none if the file does not exist."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def program_path(name: str) -> str:
    """Return the path of a program in `tests/fixtures`."""
    return str(PROGRAMS / f"{name}.py")


def program(text: str) -> list[str]:
    """Return the arguments with which Python runs this text, after PACKAGE is replaced by the name of the package."""
    return ["-c", text.replace("PACKAGE", PACKAGE)]
