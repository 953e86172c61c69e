"""The wrapper that retries failed writes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from unittest.mock import AsyncMock, Mock

import pytest
from fake_destinations import FailingDestination, HangingDestination, MemoryDestination
from helpers import deliver, eventually, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import LogEntry, RetryWrapper, retry
from {{cookiecutter.project_slug}}.logging.errors import AccessError, InvalidEntryError, PartialDeliveryError

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.usefixtures("short_pauses")


async def test_write_calls_the_destination_again_after_an_error() -> None:
    """The second attempt may succeed; the number of retries is counted."""
    mock = Mock(write=AsyncMock(side_effect=[ConnectionError, None]))
    wrapper = RetryWrapper(mock, max_attempts=5, retry_delay_ms=1)
    await wrapper.write(make_entry())
    assert (mock.write.await_count, wrapper.retried) == (2, 1)


async def test_write_returns_after_the_last_attempt_without_raising() -> None:
    """A failure is logged."""
    mock = Mock(write=AsyncMock(side_effect=asyncio.TimeoutError))
    await RetryWrapper(mock, max_attempts=2, retry_delay_ms=1).write(make_entry())
    assert mock.write.await_count == 2


@pytest.mark.parametrize("error", [ConnectionError("lost"), TimeoutError(), OSError("no broker")])
async def test_a_temporary_error_is_retried_until_the_batch_is_written(error: Exception) -> None:
    """The batch keeps its order, and each entry is written once."""
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
async def test_a_rejected_batch_is_not_retried(error: Exception) -> None:
    """Rejected credentials and invalid entries cost one attempt, and are counted with their reason."""
    failing = FailingDestination(error)
    buffer = await deliver(RetryWrapper(failing, 5, 1), [make_entry()])
    assert failing.attempts == 1
    assert (buffer.counters.failed, buffer.counters.last_error) == (1, str(error))


async def test_only_the_retryable_part_of_a_batch_is_sent_again() -> None:
    """The answer has a result per entry: accepted, retryable or invalid."""
    entries = [make_entry(str(number)) for number in range(6)]
    partial = PartialDeliveryError("busy", retryable=entries[2:4], invalid=entries[4:])
    failing = FailingDestination(partial)
    buffer = await deliver(RetryWrapper(failing, 3, 1), entries)
    assert failing.messages == ["2", "3"]
    assert (buffer.counters.written, buffer.counters.failed) == (4, 2)
    unwrapped = await deliver(FailingDestination(partial), entries, linger=0)
    assert (unwrapped.counters.failed, unwrapped.counters.accepted) == (2, 6)


async def test_a_partial_failure_always_has_a_reason() -> None:
    """An exception without a text is shown as the name of its class."""
    entries = [make_entry(str(number)) for number in range(2)]
    partial = PartialDeliveryError("busy", retryable=entries[1:], invalid=[])
    with pytest.raises(PartialDeliveryError, match=r"^TimeoutError$"):
        await RetryWrapper(FailingDestination(partial, TimeoutError()), 2, 1).write_batch(entries)


async def test_pauses_double_and_vary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is longer by up to a quarter at random, so that processes do not retry at the same moment."""
    pauses: list[float] = []
    monkeypatch.setattr(retry.asyncio, "sleep", AsyncMock(side_effect=pauses.append))
    for _ in range(2):
        failing = FailingDestination(*[ConnectionError("down")] * 3)
        await RetryWrapper(failing, max_attempts=4, retry_delay_ms=50).write_batch([make_entry()])
    bounds = [(0.05, 0.0625), (0.1, 0.125), (0.2, 0.25)] * 2
    assert all(low <= pause <= high for pause, (low, high) in zip(pauses, bounds, strict=True))
    assert pauses[:3] != pauses[3:]


async def test_a_slow_write_is_not_repeated() -> None:
    """The write timeout is independent of the retry delay: 60 ms are allowed with a delay of 50 ms."""

    class SlowDestination(MemoryDestination):
        async def write_batch(self, entries: Sequence[LogEntry]) -> None:
            await asyncio.sleep(0.06)
            await super().write_batch(entries)

    slow = SlowDestination()
    buffer = await deliver(RetryWrapper(slow), [make_entry(str(number)) for number in range(50)])
    assert len(slow.entries) == 50
    assert buffer.counters.retried == 0


async def test_a_hanging_write_is_repeated_after_the_write_timeout() -> None:
    """The last attempt is given up, too."""
    hanging = HangingDestination()
    await RetryWrapper(hanging, 2, 1, write_timeout_ms=20).write(make_entry())
    assert hanging.attempts == 2
