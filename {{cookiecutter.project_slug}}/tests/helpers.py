"""What the tests share: a destination of a user's own, misbehaving ones, tools, entries and waiting for a condition."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self

import pytest
from loguru import logger

from {{cookiecutter.project_slug}}.logging.destinations import BufferedDestination
from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination, LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.logging.json_safe import encode_json
from {{cookiecutter.project_slug}}.logging.query import LogQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mcp.server import MCPServer

PATIENCE = 15.0
"""Seconds after which a condition counts as never met."""
OWN = "helpers:JsonLinesDestination"
"""The dotted path of a user's own destination; it writes to the file that TEST_JSON_LINES names."""

ARGUMENTS = {"text": 'say "hi"\nC:\\new', "items": [{"count": 1}, True, 2.5, "\u00c9t\u00e9"]}
SEARCHES = {'say "hi"': 1, "C:\\NEW": 1, 'hi"\nc': 1, "2.5": 1, "\u00c9t": 1, '"count":1': 0, "count": 0, "{": 0}
"""Texts, and how often they are among the values of these arguments."""


def make_entry(message: str = "hello", **values: Any) -> LogEntry:
    """Return an entry with the given fields."""
    given = {"correlation_id": "c-1", "timestamp": datetime.now(UTC), "level": "INFO", "log_type": "internal"}
    return LogEntry(**{**given, "message": message, **values})


def require_backend(host: str, port: int, sentence: str) -> None:
    """Fail with a sentence when nothing listens there."""
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError:
        pytest.fail(sentence, pytrace=False)


def until(condition: Callable[[], Any], timeout: float = PATIENCE) -> Any:
    """Wait until a condition holds and return what it returned; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        assert time.monotonic() < deadline, "the condition was never met"
        threading.Event().wait(0.005)
    return result


async def eventually(condition: Callable[[], Any], timeout: float = PATIENCE) -> Any:
    """Wait as `until` does, without holding up the loop."""
    async with asyncio.timeout(timeout):
        while not (result := condition()):  # noqa: ASYNC110 - the conditions are other threads' and processes'
            await asyncio.sleep(0.005)
    return result


def assert_nobody_waited(seconds: Sequence[float]) -> None:
    """Check that 99 of 100 steps took less than 50 ms and none as long as a write that is waited for."""
    in_order = sorted(seconds)
    assert in_order[len(in_order) * 99 // 100] < 0.05
    assert in_order[-1] < 0.45


class Broken:
    """An object that cannot be shown."""

    def __repr__(self) -> NoReturn:
        """Fail."""
        raise RuntimeError

    __str__ = __repr__


class MemoryDestination(LogDestination):
    """Keeps everything it was handed, in order, and finds it again once per entry id."""

    name = "memory"

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.batches: list[int] = []
        self.closed = 0

    @property
    def messages(self) -> list[str]:
        """The messages in the order of their writing."""
        return [entry.message for entry in self.entries]

    async def write(self, entry: LogEntry) -> None:
        """Keep one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Keep a batch."""
        self.batches.append(len(entries))
        self.entries.extend(entries)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Find entries."""
        return matching(self.entries, LogQuery.of(**filters))

    async def close(self) -> None:
        """Count how often."""
        self.closed += 1


class JsonLinesDestination(LogDestination):
    """One JSON object a line, as a user's own destination might write it."""

    name = "jsonl"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def from_config(cls, _: object) -> Self:
        """Build the destination as the factory does."""
        return cls(os.environ["TEST_JSON_LINES"])

    async def write(self, entry: LogEntry) -> None:
        """Append one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Append a batch."""
        append(self.path, "".join(encode_json(entry.to_dict()) + "\n" for entry in entries))

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Read the file and find entries in it."""
        return matching(map(LogEntry.from_dict, read_json_lines(self.path)), LogQuery.of(**filters))


class FailingDestination(MemoryDestination):
    """Raises each of the given errors once, one a write, and works afterwards."""

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)
        self.attempts = 0

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Fail, or keep a batch."""
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)
        await super().write_batch(entries)


class HangingDestination(MemoryDestination):
    """Accepts and never answers until it is released."""

    def __init__(self) -> None:
        super().__init__()
        self.released = False
        self.attempts = 0

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Hang, or keep a batch."""
        self.attempts += 1
        while not self.released:  # noqa: ASYNC110 - released from another thread
            await asyncio.sleep(0.01)
        await super().write_batch(entries)


class WriteOnlyDestination(LogDestination):
    """Takes everything and gives nothing back."""

    async def write(self, entry: LogEntry) -> None:
        """Take an entry."""


class ForgetfulDestination(MemoryDestination):
    """Takes everything and finds nothing again."""

    name = "forgetful"

    async def query(self, **_: Any) -> list[LogEntry]:
        """Find nothing."""
        return []


def matching(entries: Iterable[LogEntry], query: LogQuery) -> list[LogEntry]:
    """Return what a readable destination returns for a query."""
    found = [entry for entry in {entry.entry_id: entry for entry in entries}.values() if _matches(entry, query)]
    newest_first = sorted(found, key=lambda entry: entry.timestamp, reverse=True)
    return newest_first[query.offset : query.offset + query.limit]


def _matches(entry: LogEntry, query: LogQuery) -> bool:
    texts = (entry.message, entry.error_message, entry.output_summary, entry.tool_name)
    return (
        all(getattr(entry, name) == value for name, value in query.equals.items())
        and (not query.levels or entry.level in query.levels)
        and (query.since is None or entry.timestamp >= query.since)
        and (query.until is None or entry.timestamp < query.until)
        and (query.text is None or any(query.text.lower() in (text or "").lower() for text in texts))
    )


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines, none where it is not there yet."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def append(path: Path, text: str) -> None:
    """Append to a file in one write, so that processes do not mix."""
    with path.open("ab", buffering=0) as file:
        file.write(text.encode())


def program(text: str) -> list[str]:
    """Return the arguments that make Python run a program in which PACKAGE stands for this project's package."""
    return ["-c", text.replace("PACKAGE", PACKAGE)]


SERVE = """
import sys
from PACKAGE import tools
from PACKAGE.cli import main
tools.__path__.append(sys.argv.pop(1))
raise SystemExit(main())
"""
"""Serve with the tools of one more folder, as if their modules lay among this project's own."""


def say(text: str) -> str:
    """Return the text unchanged, printing and logging it."""
    print("printed by a tool")  # noqa: T201 - what a tool must be able to do
    logger.info("said {text}", text=text)
    return text


def process_id() -> int:
    """Return the server's process id."""
    return os.getpid()


async def hang() -> None:
    """Wait for a minute."""
    await asyncio.sleep(60)


def crash(secret: str = "") -> None:
    """Raise what no client may see."""
    logging.getLogger("library").warning("about to crash")
    msg = f"internal detail {secret}"
    raise RuntimeError(msg)


def fail_softly() -> Any:
    """Return a failure that nobody raised."""
    from mcp.types import CallToolResult, TextContent  # half a second that most programs here do not need

    return CallToolResult(content=[TextContent(type="text", text="soft failure")], is_error=True)


def odd_output() -> int:
    """Return what its output schema forbids."""
    return "not a number"  # type: ignore[return-value]


async def in_lines(tag: str) -> str:
    """Log on several ways, from a child task and from a worker thread."""
    logger.info(f"{tag} loguru")
    logging.getLogger("application").info("%s stdlib", tag)
    await asyncio.create_task(_in_child(tag))
    await asyncio.to_thread(logger.info, f"{tag} thread")
    return tag


async def _in_child(tag: str) -> None:
    await asyncio.sleep(0)
    logger.info(f"{tag} child")


def register(server: MCPServer[Any]) -> None:
    """Add the tools of the tests to a server."""
    for tool in (say, process_id, hang, crash, fail_softly, odd_output, in_lines):
        server.add_tool(tool)


async def deliver(destination: Any, entries: Sequence[LogEntry], **options: Any) -> BufferedDestination:
    """Send entries through a buffer until it is closed."""
    buffer = BufferedDestination(destination, **options)
    await buffer.open()
    for entry in entries:
        buffer.put(entry)
    await buffer.flush()
    await buffer.close()
    return buffer
