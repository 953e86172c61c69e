"""Fixtures of all tests: isolation, destinations, and other Python processes."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fake_destinations import JSON_LINES, JsonLinesDestination, LocalJsonLinesDestination, MemoryDestination
from helpers import PATIENCE, program_path, read_json_lines
from loguru import logger

from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry

TESTS = Path(__file__).parent
STARTS_PROCESSES = {"start", "run", "serve_arguments"}
"""Fixtures whose tests start Python processes, which `make check` leaves to `make test`."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start processes; leave out tests whose list of parameters is empty in this project."""
    items[:] = [item for item in items if not item.name.endswith("[NOTSET]")]
    for item in items:
        if STARTS_PROCESSES & set(getattr(item, "fixturenames", ())):
            item.add_marker("processes")


@pytest.fixture(scope="session", autouse=True)
def started_processes_receive_sigint() -> None:
    """Stop ignoring SIGINT: a shell ignores it for `pytest &`, and the processes that tests start would inherit that.

    A handler is not inherited.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda *_: None)


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Run a test with an empty home and working folder and without settings; restore logging afterwards."""
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
    """Return a destination in memory that UnifiedLogger delivers to."""
    destination = MemoryDestination()
    UnifiedLogger.initialize(destination)
    return destination


@pytest.fixture
def own_logging(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], list[dict[str, object]]]:
    """Configure a destination of the user's as the only one; return a function that reads its entries."""
    monkeypatch.setenv("ENABLE_LOCAL_LOGGING", "false")
    monkeypatch.setenv("ENABLE_PRODUCTION_LOGGING", "true")
    monkeypatch.setenv("LOG_DESTINATION_TYPE", JSON_LINES)
    monkeypatch.setenv("LOG_LEVEL", "INFO")  # the default of this project may be another
    return lambda: read_json_lines(tmp_path / "entries.jsonl")


@pytest.fixture
def record(own_logging: object, tmp_path: Path) -> Callable[..., None]:
    """Return a function that writes entries to the destination of `own_logging`."""
    destination = JsonLinesDestination(tmp_path / "entries.jsonl")
    return lambda *entries: asyncio.run(destination.write_batch(entries))


@pytest.fixture
def record_locally(own_logging: object, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[LogEntry]], Awaitable[None]]:
    """Return a function that writes entries to the local destination; add one to a project that has none."""
    if not LOCAL:
        monkeypatch.setitem(LOCAL, "local", LocalJsonLinesDestination)
    local = next(iter(LOCAL.values()))

    async def record(entries: list[LogEntry]) -> None:
        destination = local.from_config(ServerConfig(log_retention_days=0))
        await destination.write_batch(entries)
        await destination.close()

    return record


@pytest.fixture
def serve_arguments(tmp_path: Path) -> list[str]:
    """Return Python's arguments to serve the tools of these tests, from a module that prints when it is imported."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "own_tools.py").write_text("from example_tools import register\nprint('printed at import')\n")
    return [program_path("serve_with_tools"), str(folder)]


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts a Python process with pipes; kill what still runs at the end of the test."""
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
    """Return a function that runs a Python process and returns its output."""

    def to_end(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        defaults = {"capture_output": True, "text": True, "timeout": PATIENCE}
        return subprocess.run([sys.executable, *arguments], check=False, **{**defaults, **options})

    return to_end
