"""Lines and tool calls on their way: captured, correlated, delivered, counted, whatever ends the process."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from helpers import (
    HangingDestination,
    MemoryDestination,
    assert_nobody_waited,
    make_entry,
    program,
    read_json_lines,
    until,
)
from loguru import logger

from {{cookiecutter.project_slug}}.logging.capture import restore_capture
from {{cookiecutter.project_slug}}.logging.destinations import CompositeDestination, LogEntry, RetryWrapper
from {{cookiecutter.project_slug}}.logging.destinations.buffered import BufferedDestination
from {{cookiecutter.project_slug}}.logging.settings import LogSettings
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger
from {{cookiecutter.project_slug}}.server.stdio import PrintedLines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SCRIPT = """
import asyncio, atexit, logging, os, signal, sys, threading, time, warnings
from loguru import logger
from helpers import HangingDestination, JsonLinesDestination, until
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


ENDS = {"normal": ("", 0), "exit": ("sys.exit(3)", 3), "exception": ("1 / 0", 1), "async": ("asyncio.run(main())", 0),
        "interrupt": ("os.kill(os.getpid(), signal.SIGINT)", -2)}  # fmt: skip


@pytest.mark.parametrize(("end", "returncode"), ENDS.values(), ids=ENDS)
def test_what_a_script_logged_arrives_when_it_ends(delivered: Callable[..., Any], end: str, returncode: int) -> None:
    """`initialize` is all that a script needs, however it ends."""
    script = """
async def main(): logger.info("last")
UnifiedLogger.initialize(destination)
for number in range(1000): logger.info(f"line {number}")
"""
    messages = delivered(script + end, returncode=returncode)
    assert messages[:1_000] == [f"line {number}" for number in range(1_000)]


def test_lines_of_threads_that_outlive_main_arrive_and_those_of_atexit_are_counted(run: Callable[..., Any]) -> None:
    """The drain waits for whom the interpreter waits for; after it a line is dropped, and shown on stderr."""
    script = """
UnifiedLogger.initialize(destination)
def late():
    threading.main_thread().join()
    logger.info("from a late thread"); logging.getLogger("app").warning("also late")
def check():
    counters = UnifiedLogger.counters()[0]
    assert (counters.accepted, counters.written, counters.dropped) == (4, 3, 1), counters
atexit.register(check); atexit.register(lambda: logger.info("from atexit"))
logger.info("in time"); threading.Thread(target=late).start()
"""
    result = run(*program(SCRIPT + script))
    assert (result.returncode, result.stdout) == (0, "")
    assert "Traceback" not in result.stderr
    assert all(line in result.stderr for line in ("in time", "from a late thread", "also late", "from atexit"))


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


def test_logging_from_signal_handlers_and_the_main_program_at_once(delivered: Callable[..., list[str]]) -> None:
    """A handler that logs in the middle of a log call neither deadlocks nor crashes, and no line of main is lost."""
    messages = delivered("""
UnifiedLogger.initialize(destination, settings=LogSettings(log_buffer_size=100_000))
signal.signal(signal.SIGALRM, lambda *_: logging.getLogger("handler").info("tick"))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for number in range(5000): logging.getLogger("app").info("line %d", number)
signal.setitimer(signal.ITIMER_REAL, 0)
""")
    assert [text for text in messages if text != "tick"] == [f"line {number}" for number in range(5_000)]


def test_a_hanging_destination_cannot_keep_a_process_from_ending(run: Callable[..., Any]) -> None:
    """The drain has a deadline, and what was lost is said on stderr."""
    script = """
UnifiedLogger.initialize(HangingDestination(), settings=LogSettings(log_drain_timeout_ms=300))
for number in range(100): logger.info(number)
"""
    begun = time.monotonic()
    result = run(*program(SCRIPT + script))
    assert result.returncode == 0
    assert time.monotonic() - begun < 5
    assert "memory: written 0, retried 0, dropped 100, failed 0, queued 0" in result.stderr


def test_a_stderr_that_nobody_reads_or_that_is_closed_stops_nothing(tmp_path: Path, start: Callable[..., Any]) -> None:
    """A full pipe holds up neither the program nor its exit; without stderr the destinations still get everything."""
    text = 'UnifiedLogger.initialize(destination)\nfor n in range(3000): logger.info("x" * 100)\n'
    begun = time.monotonic()
    assert start(*program(SCRIPT + text)).wait(20) == 0
    assert start(*program(SCRIPT + "os.close(2)\nsys.stderr = None\n" + text)).wait(20) == 0
    assert time.monotonic() - begun < 15
    assert len(read_json_lines(tmp_path / "entries.jsonl")) == 6_000


def test_threads_lose_nothing(memory: MemoryDestination) -> None:
    """Eight threads, one buffer: every line arrives, each thread's in order."""

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


def test_memory_is_bounded_and_every_entry_accounted_for(capfd: pytest.CaptureFixture[str]) -> None:
    """100,000 entries against a destination that hangs: the newest are kept, the rest counted and said once."""
    hanging = RetryWrapper(HangingDestination(), max_attempts=1, write_timeout_ms=100)
    gc.collect()
    UnifiedLogger.initialize(hanging, settings=LogSettings(log_buffer_size=1_000, log_level="CRITICAL"))
    begun = time.monotonic()
    for number in range(100_000):
        UnifiedLogger.emit(make_entry(str(number)))
    assert time.monotonic() - begun < 10
    counters = until(lambda: (c := UnifiedLogger.counters()[0]).last_error and c)
    assert counters.accepted == 100_000 == counters.written + counters.dropped + counters.failed + counters.queued
    assert counters.queued <= 2_000
    assert sum(isinstance(item, LogEntry) for item in gc.get_objects()) < 3_000
    UnifiedLogger.shutdown(0.2)
    after = UnifiedLogger.counters()[0]
    assert (after.accepted, after.dropped, after.queued) == (100_000, 100_000, 0)
    assert capfd.readouterr().err.count("dropped so far") <= 1


def test_one_dead_destination_delays_and_loses_nothing_of_another() -> None:
    """Two buffers side by side: the healthy one has everything while the other still hangs."""
    hanging, memory = HangingDestination(), MemoryDestination()
    UnifiedLogger.initialize(CompositeDestination([hanging, memory]))
    for number in range(2_000):
        logger.info(number)
    assert not UnifiedLogger.flush(0.3)
    until(lambda: len(memory.entries) == 2_000)
    assert hanging.entries == []
    hanging.released = True
    until(lambda: len(hanging.entries) == 2_000)


async def test_a_log_call_returns_at_once_while_the_destination_hangs() -> None:
    """The event loop's lag stays below 50 ms."""
    UnifiedLogger.initialize(HangingDestination(), settings=LogSettings(log_drain_timeout_ms=500))
    steps = []
    for number in range(400):
        begun = time.perf_counter()
        logger.info(number)
        await asyncio.sleep(0)
        steps.append(time.perf_counter() - begun)
    assert_nobody_waited(steps)


class ChattyDestination(MemoryDestination):
    """Its driver logs on every write, from the writer's thread, from an executor's and from a thread of its own."""

    driver_loggers = ("chatty.pool",)
    destination = "s3://a-word-of-its-own"

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write and chat."""
        await super().write_batch(entries)
        logging.getLogger("chatty.pool").warning("driver line")
        logging.getLogger("elsewhere").warning("on the writer")
        logger.warning("by loguru")
        await asyncio.to_thread(logger.warning, "on the executor")
        with ThreadPoolExecutor() as pool:
            pool.submit(logging.getLogger("chatty.pool.wire").warning, "driver thread")


def test_a_drivers_own_lines_never_feed_back(capfd: pytest.CaptureFixture[str]) -> None:
    """They are on stderr, and the destination gets the application's one line only."""
    UnifiedLogger.initialize(BufferedDestination(chatty := ChattyDestination()))
    logger.info("the application's line")
    UnifiedLogger.flush()
    UnifiedLogger.shutdown()
    shown = capfd.readouterr().err
    assert chatty.messages == ["the application's line"]
    assert all(line in shown for line in ("driver line", "on the writer", "by loguru", "executor", "driver thread"))


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "WARNING", "ERROR"])
def test_the_level_is_honoured_for_every_logger(level: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Loguru, the standard library and its child loggers; tool calls are recorded at any level, shown from it on."""
    UnifiedLogger.initialize(memory := MemoryDestination(), settings=LogSettings(log_level=level))
    for log in (logger, logging.getLogger("app.child")):
        for name in ("debug", "info", "warning", "error"):
            getattr(log, name)(name)
    UnifiedLogger.emit(make_entry("a tool call", log_type="tool_execution", level="INFO"))
    UnifiedLogger.flush()
    expected = ["debug", "info", "warning", "error"][["DEBUG", "INFO", "WARNING", "ERROR"].index(level) :]
    written = [entry.message for entry in memory.entries if entry.module != "asyncio"]
    assert written == [*expected * 2, "a tool call"]
    assert ("a tool call" in capfd.readouterr().err) == (level in {"DEBUG", "INFO"})


def test_initialising_again_drains_and_closes_what_was_there(memory: MemoryDestination) -> None:
    """Each destination has what was logged in its time, and is closed once."""
    logger.info("first")
    UnifiedLogger.initialize(second := MemoryDestination())
    logger.info("second")
    UnifiedLogger.shutdown()
    UnifiedLogger.shutdown()
    assert (memory.messages, second.messages) == (["first"], ["second"])
    assert (memory.closed, second.closed) == (1, 1)


def test_a_printed_line_without_an_end_is_shown_on_flush_and_at_the_end() -> None:
    """A prompt is seen when it is flushed; what any thread began is not lost with the stream."""
    shown = list[str]()
    stream = PrintedLines(shown.append, sys.stderr)
    print("50 %", end="", file=stream, flush=True)
    assert shown == ["50 %"]
    asyncio.run(asyncio.to_thread(stream.write, "rest"))
    del stream
    assert shown == ["50 %", "rest"]


def test_without_initialize_entries_go_nowhere() -> None:
    """Emitting, flushing and shutting down are harmless before there is anything."""
    UnifiedLogger.emit(make_entry())
    UnifiedLogger.shutdown()
    assert (UnifiedLogger.flush(), UnifiedLogger.counters(), restore_capture()) == (True, [], [])
