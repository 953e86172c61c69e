"""Lines on stderr: readable, complete, and never in the way of anything else."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import resource
import sys
import warnings
from contextlib import redirect_stderr, suppress
from datetime import UTC, datetime
from typing import Literal
from unittest.mock import Mock

import pytest
from fake_destinations import MemoryDestination
from helpers import make_entry
from loguru import logger

from {{cookiecutter.project_slug}}.logging.destinations import ConsoleDestination
from {{cookiecutter.project_slug}}.logging.destinations.console import as_json, as_text
from {{cookiecutter.project_slug}}.logging.errors import AccessError
from {{cookiecutter.project_slug}}.logging.settings import LogSettings
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC)


def test_text_shows_time_level_id_place_message_and_error() -> None:
    """The traceback is indended below, so that each entry begins at the start of a line."""
    entry = make_entry(
        timestamp=MOMENT,
        module="app",
        line=7,
        error_type="ValueError",
        error_message="no",
        traceback="a\nb",
    )  # fmt: skip
    assert as_text(entry) == ("2026-01-02T03:04:05.678Z INFO     c-1 app:7 hello (ValueError: no)\n    | a\n    | b\n")
    assert as_text(make_entry(timestamp=MOMENT)) == "2026-01-02T03:04:05.678Z INFO     c-1 hello\n"
    printed = make_entry(timestamp=MOMENT, module="print", line=0)
    assert as_text(printed) == "2026-01-02T03:04:05.678Z INFO     c-1 hello\n", "a printed line comes from no place"


def test_json_omits_empty_fields() -> None:
    """One object per line."""
    line = as_json(make_entry("\x1b", timestamp=MOMENT, entry_id="e"))
    assert json.loads(line) == {
        "correlation_id": "c-1", "timestamp": "2026-01-02T03:04:05.678900+00:00", "level": "INFO",
        "log_type": "internal",
        "message": "\x1b", "entry_id": "e",
    }  # fmt: skip
    assert line.removesuffix("\n").isprintable()


async def test_without_stderr_entries_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process may be started without it; that is not retried."""
    monkeypatch.setattr(sys, "stderr", None)
    console = ConsoleDestination()
    await console.open()
    with pytest.raises(AccessError, match="there is no stderr"):
        await console.write(make_entry())
    console.write_now(make_entry())
    await console.close()


def test_stderr_shows_text_or_json_and_stdout_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """LOG_FORMAT selects the format; control characters are escaped, so that no value forges a line."""
    for log_format in ("json", "text"):
        UnifiedLogger.initialize(MemoryDestination(), settings=LogSettings(log_format=log_format))
        logger.warning("first\nforged \x1b[31m line")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("beware", UserWarning, stacklevel=1)
        UnifiedLogger.shutdown()
        shown = capfd.readouterr()
        assert shown.out == ""
        lines = shown.err.splitlines()
        if log_format == "json":
            assert [json.loads(line)["level"] for line in lines] == ["WARNING", "WARNING", "INFO"]
            assert "beware" in json.loads(lines[1])["message"]
        else:
            assert "first\\nforged \\x1b[31m line" in lines[0]
            assert len(lines) == 3


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_lines_go_to_the_stderr_of_the_start(
    log_format: Literal["json", "text"], capfd: pytest.CaptureFixture[str]
) -> None:
    """A tool that redirects `sys.stderr` gets none of our lines, and none is lost."""
    UnifiedLogger.initialize(MemoryDestination(), settings=LogSettings(log_format=log_format))
    UnifiedLogger.flush()
    with redirect_stderr(io.StringIO()) as theirs:
        UnifiedLogger.emit(make_entry("whole", thread_name="job-\udcff"))
        UnifiedLogger.emit(make_entry("stopped", error_message="still running"))
        UnifiedLogger.flush()
    UnifiedLogger.shutdown()
    shown = capfd.readouterr().err
    assert ("whole" in shown, "still running" in shown, "(None" in shown, theirs.getvalue()) == (True, True, False, "")


async def test_a_full_stderr_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if its descriptor is above 1,024; a pipe without a reader fails at once."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, limits[1]), limits[1]))
    reader, writer = os.pipe()
    number = fcntl.fcntl(writer, fcntl.F_DUPFD, 2_000)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    monkeypatch.setattr(sys, "stderr", Mock(fileno=lambda: number))
    os.set_blocking(number, False)
    with suppress(BlockingIOError):
        while os.write(number, bytes(4_096)):
            continue
    writing = asyncio.create_task(ConsoleDestination().write(make_entry("hello")))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not writing.done()
    assert not os.read(reader, 10_000_000).strip(b"\0")
    await writing
    assert b"hello" in os.read(reader, 10_000)
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        await ConsoleDestination().write(make_entry())
    os.close(writer)
    os.close(number)
