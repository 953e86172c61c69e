"""What stands between the logger and a destination: buffer, retries, fan-out, the console, and the entry itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, Mock

import pytest
from helpers import FailingDestination, HangingDestination, MemoryDestination, deliver, eventually, make_entry
from loguru import logger

from {{cookiecutter.project_slug}}.logging.destinations import (
    BufferedDestination,
    CompositeDestination,
    LogEntry,
    RetryWrapper,
    delivery,
    retry,
)
from {{cookiecutter.project_slug}}.logging.errors import (
    AccessError,
    InvalidEntryError,
    PartialDeliveryError,
)
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
