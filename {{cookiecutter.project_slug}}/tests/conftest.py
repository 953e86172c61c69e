"""Isolation, and the server as a process of its own."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from helpers import OWN, SERVE, JsonLinesDestination, MemoryDestination, program, read_json_lines
from loguru import logger

from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out tests of each of something that this project has none of: nothing is skipped."""
    items[:] = [item for item in items if not item.name.endswith("[NOTSET]")]


@pytest.fixture(scope="session", autouse=True)
def not_in_the_background() -> None:
    """Let processes that tests start hear SIGINT, though a script's `pytest &` is told to ignore it.

    What is ignored is inherited; a handler is not.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a test a home and a working folder of its own, no settings, and logging as it found it."""
    for name in [name for name in os.environ if name.lower() in ServerConfig.model_fields]:
        monkeypatch.delenv(name)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setenv("TEST_JSON_LINES", str(tmp_path / "entries.jsonl"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield work
    UnifiedLogger.shutdown()
    if UnifiedLogger._capture is not None:
        UnifiedLogger._capture.release()
    UnifiedLogger._pipeline = UnifiedLogger._capture = None
    logging.captureWarnings(capture=False)
    logger.remove()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def memory() -> MemoryDestination:
    """Return a destination that UnifiedLogger delivers to."""
    destination = MemoryDestination()
    UnifiedLogger.initialize(destination)
    return destination


@pytest.fixture
def own_logging(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], list[dict[str, object]]]:
    """Configure processes to log to a destination of the user's own alone, and return what reads its entries."""
    monkeypatch.setenv("ENABLE_LOCAL_LOGGING", "false")
    monkeypatch.setenv("ENABLE_PRODUCTION_LOGGING", "true")
    monkeypatch.setenv("LOG_DESTINATION_TYPE", OWN)
    monkeypatch.setenv("LOG_LEVEL", "INFO")  # whatever the project's own is
    return lambda: read_json_lines(tmp_path / "entries.jsonl")


@pytest.fixture
def record(own_logging: object, tmp_path: Path) -> Callable[..., None]:
    """Return what records entries in the destination of the user's own."""
    destination = JsonLinesDestination(tmp_path / "entries.jsonl")
    return lambda *entries: asyncio.run(destination.write_batch(entries))


class HereDestination(JsonLinesDestination):
    """A destination on this machine, which stays as it is when a test changes its parent."""

    write_batch = JsonLinesDestination.write_batch

    @classmethod
    def from_config(cls, _: object) -> Self:
        """Build the destination as the factory does."""
        return cls("here.jsonl")


@pytest.fixture
def record_here(own_logging: object, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[LogEntry]], Awaitable[None]]:
    """Return what records on this machine, also where this project has no destination for that."""
    if not LOCAL:
        monkeypatch.setitem(LOCAL, "here", HereDestination)
    local = next(iter(LOCAL.values()))

    async def record(entries: list[LogEntry]) -> None:
        destination = local.from_config(ServerConfig(log_retention_days=0))
        await destination.write_batch(entries)
        await destination.close()

    return record


@pytest.fixture
def serve_arguments(tmp_path: Path) -> list[str]:
    """Return the arguments with which Python serves the tools of the tests, from a module that prints at import."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "own_tools.py").write_text("from helpers import register\nprint('printed at import')\n")
    return [*program(SERVE), str(folder)]


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return what starts a Python process with pipes; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **options: object) -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([sys.executable, *arguments], **{**pipes, **options}))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        with process:
            continue


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return what runs a Python process to its end and gives its output."""

    def to_end(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        defaults = {"capture_output": True, "text": True, "timeout": 30}
        return subprocess.run([sys.executable, *arguments], check=False, **{**defaults, **options})

    return to_end
