"""The buffer in front of a destination: batches, bounds, counters, and what is said when entries cannot go."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from helpers import FailingDestination, HangingDestination, MemoryDestination, deliver, eventually, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import (
    BufferedDestination,
    CompositeDestination,
    RetryWrapper,
    delivery,
)
from {{cookiecutter.project_slug}}.logging.destinations.counters import Counters
from {{cookiecutter.project_slug}}.logging.errors import AccessError, InvalidEntryError, PartialDeliveryError
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from {{cookiecutter.project_slug}}.logging.destinations import LogEntry


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a destination that is down be visited again soon."""
    monkeypatch.setattr(delivery, "OUTAGE_PAUSES", (0.01,))


async def test_opening_that_fails_or_hangs_is_tried_again() -> None:
    """A destination that is down at the start is opened, and delivered to, once it is up: nothing is lost."""

    class LateDestination(MemoryDestination):
        attempts = 0

        async def open(self) -> None:
            self.attempts += 1
            if self.attempts == 1:
                msg = "not there yet"
                raise ConnectionError(msg)
            if self.attempts == 2:
                msg = "the content of no entry"
                raise InvalidEntryError(msg)
            if self.attempts == 3:
                await asyncio.Event().wait()

        async def write_batch(self, entries: Sequence[LogEntry]) -> None:
            assert self.attempts == 4
            await super().write_batch(entries)

    late = LateDestination()
    buffer = BufferedDestination(RetryWrapper(late, 1, 1, write_timeout_ms=50))
    await buffer.open()
    await eventually(lambda: late.attempts)
    assert buffer.counters == Counters(destination="memory", last_error="not there yet")
    buffer.put(make_entry("waited"))
    await eventually(lambda: late.messages == ["waited"])
    await buffer.close()
    assert (buffer.counters.written, buffer.counters.failed) == (1, 0)


async def test_being_refused_at_the_start_is_not_said_as_waiting(capfd: pytest.CaptureFixture[str]) -> None:
    """Who reads that entries wait does nothing; a wrong password loses them."""

    class LockedDestination(MemoryDestination):
        async def open(self) -> None:
            msg = "wrong password"
            raise AccessError(msg)

    UnifiedLogger.initialize(LockedDestination())
    UnifiedLogger.flush()
    UnifiedLogger.shutdown()
    consequence = "entries are dropped until this is fixed, 0 dropped so far"
    assert f"memory: wrong password ({consequence})" in capfd.readouterr().err


async def test_a_buffer_that_nobody_opened_delivers_what_is_written_to_it() -> None:
    """What the factory returns can be written to, read and closed like any destination."""
    memory = MemoryDestination()
    stack = CompositeDestination([BufferedDestination(memory)])
    await stack.write(make_entry("hello"))
    assert [entry.message for entry in await stack.query()] == ["hello"]
    await stack.write(make_entry("again"))
    await stack.close()
    assert memory.messages == ["hello", "again"]


def test_a_buffer_that_nobody_closed_goes_on_under_another_loop() -> None:
    """Loops end although the destination hangs, and what waits is delivered when the buffer is used again."""
    hanging = HangingDestination()
    buffer = BufferedDestination(hanging, linger=0)

    async def begin(text: str) -> None:
        attempts = hanging.attempts
        await buffer.write(make_entry(text))
        await eventually(lambda: hanging.attempts > attempts)

    async def go_on() -> None:
        hanging.released = True
        await buffer.write(make_entry("third"))
        assert len(await buffer.query()) == 3

    thread = threading.Thread(target=asyncio.run, args=(begin("first"),), daemon=True)
    thread.start()
    thread.join(5)
    assert (thread.is_alive(), asyncio.run(buffer.query())) == (False, [])
    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin("second"))
    for task in asyncio.all_tasks(loop):
        task.get_coro().close()
    loop.close()
    assert buffer.counters.last_error is None
    asyncio.run(go_on())
    asyncio.run(buffer.close())
    assert hanging.messages == ["first", "second", "third"]


@pytest.mark.parametrize("trouble", [ConnectionError, asyncio.CancelledError])
async def test_closing_goes_on_while_a_destination_takes_anything(trouble: type[BaseException]) -> None:
    """One busy item, one broken connection, or a task of the driver's, costs none of the batches behind it."""
    entries = [make_entry(str(number)) for number in range(1_200)]
    busy = PartialDeliveryError("queue full", retryable=entries[:100], invalid=[])
    failing = FailingDestination(busy, trouble())
    buffer = await deliver(failing, entries)
    assert (buffer.counters.written, buffer.counters.dropped) == (1_200, 0)
    down = FailingDestination(*[ConnectionError("down")] * 100)
    buffer = await deliver(down, entries)
    assert (buffer.counters.written, buffer.counters.dropped, down.attempts) == (0, 1_200, 2)


async def test_a_rejected_entry_costs_no_neighbours_where_the_buffer_is_full() -> None:
    """Only what waits longest goes for newer entries, and not what a healthy destination is about to get."""
    rejecting = FailingDestination(*[InvalidEntryError("no")] * 4)
    buffer = BufferedDestination(rejecting, capacity=8, linger=0)
    for number in range(8):
        buffer.put(make_entry(str(number)))
    await buffer.open()
    await eventually(lambda: rejecting.attempts)
    for number in range(8, 16):
        buffer.put(make_entry(str(number)))
    await eventually(lambda: not buffer.counters.queued)
    await buffer.close()
    assert (buffer.counters.written, buffer.counters.failed, buffer.counters.dropped) == (15, 1, 0)


async def test_flushing_ends_although_entries_keep_coming() -> None:
    """What was there at the call is delivered; what comes later is not waited for."""
    buffer = BufferedDestination(MemoryDestination(), linger=0)
    await buffer.open()
    buffer.put(make_entry())

    async def keep_busy() -> None:
        while True:
            buffer.put(make_entry())
            await asyncio.sleep(0)

    busy = asyncio.create_task(keep_busy())
    async with asyncio.timeout(5):
        assert await buffer.flush()
    busy.cancel()
    await buffer.close()


async def test_batches_are_full_and_small_ones_wait_a_moment() -> None:
    """1,200 entries are three writes; one entry is written within the linger."""
    memory = MemoryDestination()
    buffer = await deliver(memory, [make_entry() for _ in range(1_200)])
    assert memory.batches == [500, 500, 200]
    assert buffer.counters.written == buffer.counters.accepted == 1_200
    buffer = BufferedDestination(memory, linger=0.05)
    await buffer.open()
    begun = time.monotonic()
    buffer.put(make_entry("alone"))
    await eventually(lambda: memory.entries[-1].message == "alone")
    assert time.monotonic() - begun < 1
    await buffer.close()
    assert memory.closed == 2


async def test_a_full_buffer_keeps_the_newest() -> None:
    """What does not fit is dropped from the old end, also from a batch that failed, and counted."""
    failing = FailingDestination(*[ConnectionError("down")] * 3)
    buffer = BufferedDestination(failing, capacity=10, linger=0)
    await buffer.open()
    for number in range(25):
        buffer.put(make_entry(str(number)))
    await eventually(lambda: not buffer.counters.queued)
    await buffer.close()
    assert failing.messages[-10:] == [str(number) for number in range(15, 25)]
    assert buffer.counters.dropped == 25 - len(failing.entries)


async def test_a_destination_that_is_down_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    """Not once per attempt or entry; that it is back is said too."""
    failing = FailingDestination(*[ConnectionError("down today")] * 50)
    UnifiedLogger.initialize(MemoryDestination())
    buffer = await deliver(failing, [])
    await buffer.open()
    for _ in range(100):
        buffer.put(make_entry())
    await eventually(lambda: buffer.counters.written == 100)
    await buffer.close()
    UnifiedLogger.shutdown()
    shown = capfd.readouterr().err
    assert shown.count("down today") == 1
    assert shown.count("delivering again") == 1


async def test_a_buffer_takes_entries_before_it_is_open_and_after_it_is_closed() -> None:
    """Early ones are delivered, late ones counted as dropped; closing twice is harmless."""
    memory = MemoryDestination()
    buffer = BufferedDestination(memory)
    buffer.put(make_entry("early"))
    await buffer.open()
    await buffer.close()
    buffer.put(make_entry("late"))
    await buffer.close()
    assert memory.messages == ["early"]
    assert (buffer.counters.accepted, buffer.counters.written, buffer.counters.dropped) == (2, 1, 1)


async def test_reading_waits_for_what_was_just_logged() -> None:
    """A query through the buffer finds the entry that was put before it; entries keep the time of the event."""
    buffer = BufferedDestination(MemoryDestination(), linger=5)
    await buffer.open()
    entry = make_entry("a moment ago", timestamp=datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC))
    await buffer.write(entry)
    assert await buffer.query(text="moment") == [entry]
    await buffer.close()


class SlowDestination(MemoryDestination):
    """Takes a tenth of a second for a batch."""

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Keep a batch, after a while."""
        await asyncio.sleep(0.1)
        await super().write_batch(entries)


async def test_entries_that_come_faster_than_they_go_are_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    """A destination that is only slow drops the oldest, counts them, and stderr says so while it happens, once."""
    UnifiedLogger.initialize(MemoryDestination())
    buffer = BufferedDestination(SlowDestination(), capacity=100, linger=0)
    await buffer.open()
    for number in range(1_000):
        buffer.put(make_entry(str(number)))
        await asyncio.sleep(0)
    await eventually(lambda: buffer.counters.dropped)
    UnifiedLogger.flush()
    shown = capfd.readouterr().err
    assert shown.count("memory: its buffer of 100 entries is full") == 1
    assert "delivering again" not in shown
    await buffer.close()


async def test_a_destination_that_takes_no_entry_of_a_batch_is_down(capfd: pytest.CaptureFixture[str]) -> None:
    """Busy item by item, with an answer for each: the reason is counted and said, smaller parts follow, all arrive."""
    UnifiedLogger.initialize(MemoryDestination())
    entries = [make_entry(str(number)) for number in range(8)]
    busy = FailingDestination(PartialDeliveryError("queue full", retryable=entries, invalid=[]))
    buffer = BufferedDestination(busy, linger=0.05)
    await buffer.open()
    for entry in entries:
        buffer.put(entry)
    await eventually(lambda: buffer.counters.last_error)
    assert buffer.counters.last_error == "queue full"
    await eventually(lambda: buffer.counters.written == 8)
    await buffer.close()
    UnifiedLogger.flush()
    assert busy.messages == [str(number) for number in range(8)]
    assert busy.batches == [4, 4]
    shown = capfd.readouterr().err
    assert (shown.count("queue full"), shown.count("delivering again")) == (1, 1)


async def test_a_destination_that_refuses_everything_is_not_asked_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each entry that is refused by itself there is a pause, which the end does not wait for."""
    monkeypatch.setattr(delivery, "INVALID_ENTRY_PAUSES", (60.0, 60.0))
    refusing = FailingDestination(*[InvalidEntryError("no")] * 1_000)
    buffer = BufferedDestination(refusing, linger=0)
    await buffer.open()
    for number in range(100):
        buffer.put(make_entry(str(number)))
    await eventually(lambda: buffer.counters.failed)
    attempts = refusing.attempts
    for _ in range(100):
        await asyncio.sleep(0)
    assert (refusing.attempts, buffer.counters.failed) == (attempts, 1)
    async with asyncio.timeout(5):
        await buffer.close()
    assert buffer.counters.failed + buffer.counters.dropped == 100
