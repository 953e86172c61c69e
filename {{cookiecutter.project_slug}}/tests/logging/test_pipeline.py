"""One buffer and one writer thread per destination."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from fake_destinations import FailingDestination, HangingDestination, MemoryDestination
from helpers import assert_nobody_waited, make_entry, until
from loguru import logger

from {{cookiecutter.project_slug}}.logging.destinations import CompositeDestination, LogEntry, RetryWrapper
from {{cookiecutter.project_slug}}.logging.destinations.buffered import BufferedDestination
from {{cookiecutter.project_slug}}.logging.settings import LogSettings
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = ["debug", "info", "warning", "error"]


def test_memory_is_bounded_and_every_entry_is_counted(capfd: pytest.CaptureFixture[str]) -> None:
    """The newest of 100,000 entries for a hanging destination are kept; the others are counted, and reported once."""
    hanging = RetryWrapper(HangingDestination(), max_attempts=1, write_timeout_ms=100)
    gc.collect()
    UnifiedLogger.initialize(hanging, settings=LogSettings(log_buffer_size=1_000, log_level="CRITICAL"))
    started = time.monotonic()
    for number in range(100_000):
        UnifiedLogger.emit(make_entry(str(number)))
    assert time.monotonic() - started < 10
    counters = until(lambda: (c := UnifiedLogger.counters()[0]).last_error and c)
    assert counters.accepted == 100_000 == counters.written + counters.dropped + counters.failed + counters.queued
    assert counters.queued <= 2_000
    assert sum(isinstance(item, LogEntry) for item in gc.get_objects()) < 3_000
    UnifiedLogger.shutdown(0.2)
    after = UnifiedLogger.counters()[0]
    assert (after.accepted, after.dropped, after.queued) == (100_000, 100_000, 0)
    assert capfd.readouterr().err.count("dropped so far") <= 1


def test_settings_add_and_exempt_keys_of_secrets() -> None:
    """The lines that reach a destination show the value of an exempt key, and not that of an additional one."""
    memory = MemoryDestination()
    settings = LogSettings(log_redact_keys="ssn", log_redact_except="pin,cookie")
    UnifiedLogger.initialize(memory, settings=settings)
    logger.info("ssn=first pin=second token=third")
    assert UnifiedLogger.flush(5)
    assert memory.entries[0].message == "ssn=[redacted] pin=second token=[redacted]"


def test_a_hanging_destination_does_not_delay_another() -> None:
    """The other one receives all entries meanwhile; the hanging one receives them when it works again."""
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
    """The event loop is never blocked for more than 50 ms."""
    UnifiedLogger.initialize(HangingDestination(), settings=LogSettings(log_drain_timeout_ms=500))
    steps = []
    for number in range(400):
        started = time.perf_counter()
        logger.info(number)
        await asyncio.sleep(0)
        steps.append(time.perf_counter() - started)
    assert_nobody_waited(steps)


def test_a_plain_destination_is_retried_as_configured() -> None:
    """A write that hangs is given up and repeated, and no entry is lost."""

    class OnceHangingDestination(FailingDestination):
        async def write_batch(self, entries: Sequence[LogEntry]) -> None:
            if not self.attempts:
                self.attempts += 1
                await asyncio.Event().wait()
            await super().write_batch(entries)

    hanging = OnceHangingDestination()
    UnifiedLogger.initialize(hanging, settings=LogSettings(log_write_timeout_ms=50, log_retry_delay_ms=1))
    logger.info("hello")
    assert UnifiedLogger.flush()
    assert (hanging.messages, UnifiedLogger.counters()[0].retried) == (["hello"], 1)


class ChattyDestination(MemoryDestination):
    """A destination whose driver logs on every write: on the writer thread, in an executor and on its own thread."""

    driver_loggers = ("chatty.pool",)

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Keep a batch, and log."""
        await super().write_batch(entries)
        logging.getLogger("chatty.pool").warning("driver line")
        logging.getLogger("elsewhere").warning("on the writer")
        logger.warning("by loguru")
        await asyncio.to_thread(logger.warning, "on the executor")
        with ThreadPoolExecutor() as pool:
            pool.submit(logging.getLogger("chatty.pool.wire").warning, "driver thread")


def test_the_lines_of_a_driver_are_shown_on_stderr_only(capfd: pytest.CaptureFixture[str]) -> None:
    """If its destination received them, each line would cause the next."""
    chatty = ChattyDestination()
    UnifiedLogger.initialize(BufferedDestination(chatty))
    logger.info("the application's line")
    UnifiedLogger.flush()
    UnifiedLogger.shutdown()
    assert chatty.messages == ["the application's line"]
    err = capfd.readouterr().err
    assert all(line in err for line in ("driver line", "on the writer", "by loguru", "executor", "driver thread"))


class RepeatingDestination(MemoryDestination):
    """A destination whose driver repeats itself, on the writer thread and on its own."""

    driver_loggers = ("chatty.pool",)

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Keep a batch, and log."""
        await super().write_batch(entries)
        for number in range(100):
            logging.getLogger("chatty.pool").error("connection %d failed", number)
            logging.getLogger("elsewhere").warning("task %#x is still waiting", number)


def test_lines_that_a_driver_repeats_are_shown_once_and_counted(capfd: pytest.CaptureFixture[str]) -> None:
    """The first line of each kind at once, the number of the others in the end."""
    UnifiedLogger.initialize(RepeatingDestination())
    logger.info("the application's line")
    UnifiedLogger.flush()
    assert "connection 0 failed" in until(lambda: "task 0x0" in (err := capfd.readouterr().err) and err)
    UnifiedLogger.shutdown()
    err = capfd.readouterr().err
    assert err.count("connection") == err.count("task") == 1
    assert "connection 99 failed (repeated 99 times in 0 s)" in err


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_applies_to_every_logger(level: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Tool calls are recorded at any level, and shown on stderr from this level on."""
    memory = MemoryDestination()
    UnifiedLogger.initialize(memory, settings=LogSettings(log_level=level))
    for log in (logger, logging.getLogger("app.child")):
        for name in LEVELS:
            getattr(log, name)(name)
    UnifiedLogger.emit(make_entry("a tool call", log_type="tool_execution", level="INFO"))
    UnifiedLogger.flush()
    expected = LEVELS[LEVELS.index(level) :]
    recorded = [entry.message for entry in memory.entries if entry.module != "asyncio"]
    assert recorded == [*expected, *expected, "a tool call"]
    assert ("a tool call" in capfd.readouterr().err) == (level in {"debug", "info"})
