"""Where tool calls and log lines enter the logging stack."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import MemoryDestination
from helpers import make_entry, program, program_path, read_json_lines
from loguru import logger

from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SCRIPT = """
import asyncio, atexit, logging, os, signal, sys, threading, time, warnings
from loguru import logger
from fake_destinations import HangingDestination, JsonLinesDestination
from helpers import until
from PACKAGE.logging.settings import LogSettings
from PACKAGE.logging.unified_logger import UnifiedLogger
destination = JsonLinesDestination(os.environ["TEST_JSON_LINES"])
warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12 on os.fork
"""
"""What the programs of these tests begin with."""


@pytest.fixture
def delivered(run: Callable[..., Any], tmp_path: Path) -> Callable[[str], list[str]]:
    """Return what runs a program and gives the messages that it delivered."""

    def deliver(text: str, *, returncode: int = 0) -> list[str]:
        result = run(*program(SCRIPT + text))
        assert (result.returncode, result.stdout) == (returncode, ""), result.stderr
        return [line["message"] for line in read_json_lines(tmp_path / "entries.jsonl")]

    return deliver


def test_a_forked_child_delivers_its_own_lines_only(delivered: Callable[..., list[str]]) -> None:
    """What waits in the parent's buffer is delivered once; the child has a buffer and a thread of its own."""
    messages = delivered("""
import multiprocessing
UnifiedLogger.initialize(destination)
logger.info("parent before")
if (child := os.fork()) == 0:
    logger.info("child")
    sys.exit(0)
os.waitpid(child, 0)
process = multiprocessing.get_context("fork").Process(target=lambda: logger.info("worker"))
process.start(); process.join()
logger.info("parent after")
""")
    assert sorted(messages) == ["child", "parent after", "parent before", "worker"]


def hold():
    with forks.hold_off_forks(): held.set(); until(lambda: forks._guard._waiting_forks); ended.append(True)
def fork():
    os.fork() or os._exit(0)
    assert ended, "the child was not held off"
begun, held, ended = time.monotonic(), threading.Event(), []
with forks.hold_off_forks(): child = os.fork()
assert time.monotonic() - begun < forks.FORK_TIMEOUT / 2, "the thread waited for itself"
if child: sys.exit(os.waitpid(child, 0)[1] != 0)
threading.Thread(target=hold, daemon=True).start(); held.wait()
asyncio.run(asyncio.to_thread(fork))
""")


def test_a_stderr_that_nobody_reads_or_that_is_closed_stops_nothing(tmp_path: Path, start: Callable[..., Any]) -> None:
    """A full pipe holds up neither the program nor its exit; without stderr the destinations still get everything."""
    text = 'UnifiedLogger.initialize(destination)\nfor n in range(3000): logger.info("x" * 100)\n'
    begun = time.monotonic()
    assert start(*program(SCRIPT + text)).wait(20) == 0
    assert start(*program(SCRIPT + "os.close(2)\nsys.stderr = None\n" + text)).wait(20) == 0
    assert time.monotonic() - begun < 15
    assert len(read_json_lines(tmp_path / "entries.jsonl")) == 6_000


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
