"""What stands between the logger and a destination: buffer, retries, fan-out, the console, and the entry itself."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import resource
import sys
import time
import warnings
from contextlib import redirect_stderr, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from unittest.mock import AsyncMock, Mock

import pytest
from helpers import FailingDestination, HangingDestination, MemoryDestination, deliver, eventually, make_entry
from loguru import logger

from {{cookiecutter.project_slug}}.logging.correlation import new_id
from {{cookiecutter.project_slug}}.logging.destinations import (
    BufferedDestination,
    CompositeDestination,
    ConsoleDestination,
    LogEntry,
    RetryWrapper,
    delivery,
    retry,
)
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.errors import (
    AccessError,
    InvalidEntryError,
    PartialDeliveryError,
)
from {{cookiecutter.project_slug}}.logging.json_safe import encode_json
from {{cookiecutter.project_slug}}.logging.settings import LogSettings
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a destination that is down be visited again soon."""
    monkeypatch.setattr(delivery, "OUTAGE_PAUSES", (0.01,))


class PickyDestination(MemoryDestination):
    """Refuses every batch that holds a poison entry, as databases do."""

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Refuse, or keep a batch."""
        self.batches.append(len(entries))
        if any(entry.message == "poison" for entry in entries):
            msg = "poison"
            raise InvalidEntryError(msg)
        self.entries.extend(entries)


async def test_a_retry_reaches_a_mock_a_second_time() -> None:
    """A write that raises is called again, and the awaited write returns after the last attempt, without raising."""
    mock = Mock(write=AsyncMock(side_effect=asyncio.TimeoutError))
    await RetryWrapper(mock, max_attempts=2, retry_delay_ms=1).write(make_entry())
    assert mock.write.await_count == 2
    mock = Mock(write=AsyncMock(side_effect=[ConnectionError, None]))
    wrapper = RetryWrapper(mock, max_attempts=5, retry_delay_ms=1)
    await wrapper.write(make_entry())
    assert (mock.write.await_count, wrapper.retried, wrapper.driver, wrapper.driver_loggers) == (2, 1, "", ())


def test_a_wrapper_names_the_driver_of_what_it_wraps() -> None:
    """However deep, and whatever that calls its own attributes: none of the driver's lines may feed back."""

    class DrivenDestination(MemoryDestination):
        driver, driver_loggers, destination = "driver", ("driver.pool",), "s3://a-word-of-its-own"

    for wrapper in (BufferedDestination(DrivenDestination()), RetryWrapper(RetryWrapper(DrivenDestination()))):
        assert (wrapper.driver, wrapper.driver_loggers) == ("driver", ("driver.pool",))
    both = BufferedDestination(CompositeDestination([DrivenDestination(), MemoryDestination()]))
    assert both.driver_loggers == ("driver.pool",)


@pytest.mark.parametrize("broken", [Mock(side_effect=ValueError), AsyncMock(side_effect=ValueError), Mock()])
async def test_fan_out_reaches_each_mock_once(broken: Any) -> None:
    """Also where one raises, at once or awaited, or returns something that cannot be awaited."""
    first, second = Mock(write=broken), Mock(write=AsyncMock())
    entry = make_entry()
    await CompositeDestination([first, second]).write(entry)
    await CompositeDestination([second, first]).write(entry)
    assert first.write.call_count == second.write.await_count == 2
    second.write.assert_awaited_with(entry)
    broken.reset_mock()


async def test_a_composite_is_read_from_the_first_that_can_be() -> None:
    """Write-only ones are passed over; without any other, that is said."""
    memory, write_only = MemoryDestination(), Mock(query=AsyncMock(side_effect=NotImplementedError))
    await memory.write(make_entry("found"))
    assert [entry.message for entry in await CompositeDestination([write_only, memory]).query()] == ["found"]
    with pytest.raises(NotImplementedError, match="none of the destinations"):
        await CompositeDestination([write_only]).query()


@pytest.mark.parametrize("error", [ConnectionError("lost"), TimeoutError(), OSError("no broker")])
async def test_passing_trouble_is_tried_again_until_it_is_over(error: Exception) -> None:
    """The batch keeps its order and its entries, and is written once."""
    failing = FailingDestination(*[error] * 7)
    buffer = await deliver(RetryWrapper(failing, 2, 1), [])
    await buffer.open()
    for number in range(10):
        buffer.put(make_entry(str(number)))
    await eventually(lambda: len(failing.entries) == 10)
    assert failing.messages == [str(number) for number in range(10)]
    assert failing.errors == []
    assert buffer.counters.retried >= 3
    await buffer.close()


@pytest.mark.parametrize("error", [AccessError("401"), InvalidEntryError("400")])
async def test_permanent_trouble_is_not_tried_again(error: Exception) -> None:
    """Credentials and documents that are refused cost one attempt, and are counted with their reason."""
    failing = FailingDestination(error)
    buffer = await deliver(RetryWrapper(failing, 5, 1), [make_entry()])
    assert failing.attempts == 1
    assert (buffer.counters.failed, buffer.counters.last_error) == (1, str(error))


async def test_a_poison_entry_costs_itself_only() -> None:
    """499 of 500 arrive, in order, after few attempts."""
    picky = PickyDestination()
    entries = [make_entry("poison" if number == 321 else str(number)) for number in range(500)]
    buffer = await deliver(RetryWrapper(picky, 2, 1), entries)
    assert picky.messages == [str(number) for number in range(500) if number != 321]
    assert (buffer.counters.written, buffer.counters.failed) == (499, 1)
    assert len(picky.batches) < 40


async def test_what_a_backend_took_of_a_batch_is_not_sent_again() -> None:
    """Answers per item: some taken, some to be tried again, some refused for good."""
    entries = [make_entry(str(number)) for number in range(6)]
    partial = PartialDeliveryError("busy", retryable=entries[2:4], invalid=entries[4:])
    failing = FailingDestination(partial)
    buffer = await deliver(RetryWrapper(failing, 3, 1), entries)
    assert failing.messages == ["2", "3"]
    assert (buffer.counters.written, buffer.counters.failed) == (4, 2)
    unwrapped = await deliver(FailingDestination(partial), entries, linger=0)
    assert (unwrapped.counters.failed, unwrapped.counters.accepted) == (2, 6)


async def test_the_reason_why_a_rest_was_not_taken_is_never_empty() -> None:
    """An exception without a text leaves the name of its class, also after a part of the batch was taken."""
    entries = [make_entry(str(number)) for number in range(2)]
    partial = PartialDeliveryError("busy", retryable=entries[1:], invalid=[])
    with pytest.raises(PartialDeliveryError, match=r"^TimeoutError$"):
        await RetryWrapper(FailingDestination(partial, TimeoutError()), 2, 1).write_batch(entries)


async def test_pauses_grow_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    """50, 100, 200 ms, each longer by up to a quarter at random, so that processes do not return together."""
    pauses: list[float] = []
    monkeypatch.setattr(retry.asyncio, "sleep", AsyncMock(side_effect=pauses.append))
    for _ in range(2):
        failing = FailingDestination(*[ConnectionError("down")] * 3)
        await RetryWrapper(failing, max_attempts=4, retry_delay_ms=50).write_batch([make_entry()])
    bounds = [(0.05, 0.0625), (0.1, 0.125), (0.2, 0.25)] * 2
    assert all(low <= pause <= high for pause, (low, high) in zip(pauses, bounds, strict=True))
    assert pauses[:3] != pauses[3:]


async def test_the_write_timeout_is_not_the_retry_delay() -> None:
    """A backend that takes 60 ms gets every entry once with a delay of 50 ms; one that never answers is left."""

    class SlowDestination(MemoryDestination):
        async def write_batch(self, entries: Sequence[LogEntry]) -> None:
            await asyncio.sleep(0.06)
            await super().write_batch(entries)

    slow = SlowDestination()
    buffer = await deliver(RetryWrapper(slow), [make_entry(str(number)) for number in range(50)])
    assert len(slow.entries) == 50
    assert buffer.counters.retried == 0
    hanging = HangingDestination()
    await RetryWrapper(hanging, 2, 1, write_timeout_ms=20).write(make_entry())
    assert hanging.attempts == 2


def test_a_destination_that_a_script_logs_to_is_retried_as_configured() -> None:
    """`initialize` is all it needs: a write that hangs is given up and made again, and nothing is lost."""

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


def test_stderr_shows_text_or_json_and_stdout_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """LOG_FORMAT picks; control characters are shown, not obeyed, so that no value forges a line."""
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
def test_stderr_is_the_one_of_the_start(log_format: Literal["json", "text"], capfd: pytest.CaptureFixture[str]) -> None:
    """A tool that redirects `sys.stderr`, to a file or to memory, gets none of our lines, and none is lost."""
    UnifiedLogger.initialize(MemoryDestination(), settings=LogSettings(log_format=log_format))
    UnifiedLogger.flush()
    with redirect_stderr(io.StringIO()) as theirs:
        UnifiedLogger.emit(make_entry("whole", thread_name="job-\udcff"))
        UnifiedLogger.emit(make_entry("stopped", error_message="still running"))
        UnifiedLogger.flush()
    UnifiedLogger.shutdown()
    shown = capfd.readouterr().err
    assert ("whole" in shown, "still running" in shown, "(None" in shown, theirs.getvalue()) == (True, True, False, "")


async def test_a_full_stderr_is_waited_for_whatever_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Above 1,024 too, where many files are open; one whose reader is gone is not waited for."""
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


def test_entries_survive_the_way_through_a_dict() -> None:
    """`from_dict` undoes `to_dict`; the fixed names come first and in their order."""
    entry = LogEntry("c", datetime.now(UTC), "INFO", "internal", "m", input_args={"a": 1}, entry_id=new_id())
    assert LogEntry.from_dict(json.loads(encode_json(entry.to_dict()))) == entry
    assert " ".join(FIELD_NAMES[:17]) == (
        "correlation_id timestamp level log_type message tool_name duration_ms status input_args output_summary "
        "error_message module function line thread_name process_id extra_data"
    )


def test_ids_are_unique_and_sort_by_time() -> None:
    """Two hundred thousand ids differ; a later millisecond sorts later."""
    first = new_id()
    deadline = time.time_ns() // 1_000_000 + 1
    while time.time_ns() // 1_000_000 <= deadline:
        pass
    assert first < new_id()
    assert len({new_id() for _ in range(200_000)}) == 200_000
