"""Where tool calls and log lines enter the logging stack."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import MemoryDestination
from helpers import PATIENCE, make_entry, program_path, read_json_lines
from loguru import logger

from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_a_forked_child_delivers_only_its_own_lines(run: Callable[..., Any], tmp_path: Path) -> None:
    """The parent delivers the entries in its buffer once; the child has its own buffer and thread."""
    result = run(program_path("log_in_forked_children"))
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    messages = sorted(entry["message"] for entry in read_json_lines(tmp_path / "entries.jsonl"))
    assert messages == ["child", "parent after", "parent before", "worker"]


@pytest.mark.parametrize("stderr", ["unread", "closed"])
def test_an_unusable_stderr_stops_nothing(start: Callable[..., Any], tmp_path: Path, stderr: str) -> None:
    """Neither a full pipe nor a missing stderr blocks the program or its exit; the destinations receive everything."""
    assert start(program_path("log_to_unusable_stderr"), stderr).wait(PATIENCE) == 0
    assert len(read_json_lines(tmp_path / "entries.jsonl")) == 3_000


def test_a_signal_handler_may_log_during_a_log_call(run: Callable[..., Any], tmp_path: Path) -> None:
    """There is no deadlock and no crash, and no line of the main program is lost."""
    result = run(program_path("log_in_signal_handler"))
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    messages = [entry["message"] for entry in read_json_lines(tmp_path / "entries.jsonl")]
    assert [message for message in messages if message != "tick"] == [f"line {number}" for number in range(5_000)]


def test_the_lines_of_many_threads_are_all_delivered(memory: MemoryDestination) -> None:
    """The lines of each thread stay in order."""

    def work(name: str) -> None:
        for number in range(500):
            logger.info("{name} {number}", name=name, number=number)

    with ThreadPoolExecutor(8) as pool:
        pool.map(work, [f"t{index}" for index in range(8)])
    UnifiedLogger.flush()
    for index in range(8):
        lines = [text for text in memory.messages if text.startswith(f"t{index} ")]
        assert lines == [f"t{index} {number}" for number in range(500)]
    assert UnifiedLogger.counters()[0].written == 4_000


def test_initialising_again_closes_the_previous_destination(memory: MemoryDestination) -> None:
    """Each destination receives the lines logged in its time, and is closed once."""
    logger.info("first")
    second = MemoryDestination()
    UnifiedLogger.initialize(second)
    logger.info("second")
    UnifiedLogger.shutdown()
    UnifiedLogger.shutdown()
    assert (memory.messages, second.messages) == (["first"], ["second"])
    assert (memory.closed, second.closed) == (1, 1)


def test_before_initialize_all_calls_are_harmless() -> None:
    """Entries go nowhere."""
    UnifiedLogger.emit(make_entry())
    UnifiedLogger.shutdown()
    assert (UnifiedLogger.flush(), UnifiedLogger.counters(), UnifiedLogger.restore_capture()) == (True, [], [])
