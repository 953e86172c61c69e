"""The buffer in front of a destination: batches, bounds, counters, and what is said when entries cannot go."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from testkit import FailingDestination, HangingDestination, MemoryDestination, deliver, eventually, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import (
    BufferedDestination,
    CompositeDestination,
    RetryWrapper,
    buffered,
)
from {{cookiecutter.project_slug}}.logging.destinations.base import Counters
from {{cookiecutter.project_slug}}.logging.errors import PartialDeliveryError, RefusedError, RejectedError
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from {{cookiecutter.project_slug}}.logging.destinations import LogEntry


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a destination that is down be visited again soon."""
    monkeypatch.setattr(buffered, "PAUSES", (0.01,))


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
                raise RejectedError(msg)
            if self.attempts == 3:
                await asyncio.Event().wait()

        async def write_batch(self, entries: Sequence[LogEntry]) -> None:
            assert self.attempts == 4
            await super().write_batch(entries)

    late = LateDestination()
    lane = BufferedDestination(RetryWrapper(late, 1, 1, write_timeout_ms=50))
    await lane.open()
    await eventually(lambda: late.attempts)
    assert lane.counters == Counters(destination="memory", last_error="not there yet")
    lane.put(make_entry("waited"))
    await eventually(lambda: late.messages == ["waited"])
    await lane.close()
    assert (lane.counters.written, lane.counters.failed) == (1, 0)


async def test_being_refused_at_the_start_is_not_said_as_waiting(capfd: pytest.CaptureFixture[str]) -> None:
    """Who reads that entries wait does nothing; a wrong password loses them."""

    class LockedDestination(MemoryDestination):
        async def open(self) -> None:
            msg = "wrong password"
            raise RefusedError(msg)

    UnifiedLogger.initialize(LockedDestination())
    UnifiedLogger.flush()
    UnifiedLogger.shutdown()
    consequence = "its entries are lost until that is mended, 0 dropped so far"
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
    lane = BufferedDestination(hanging, linger=0)

    async def begin(text: str) -> None:
        attempts = hanging.attempts
        await lane.write(make_entry(text))
        await eventually(lambda: hanging.attempts > attempts)

    async def go_on() -> None:
        hanging.released = True
        await lane.write(make_entry("third"))
        assert len(await lane.query()) == 3

    thread = threading.Thread(target=asyncio.run, args=(begin("first"),), daemon=True)
    thread.start()
    thread.join(5)
    assert (thread.is_alive(), asyncio.run(lane.query())) == (False, [])
    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin("second"))
    for task in asyncio.all_tasks(loop):
        task.get_coro().close()
    loop.close()
    assert lane.counters.last_error is None
    asyncio.run(go_on())
    asyncio.run(lane.close())
    assert hanging.messages == ["first", "second", "third"]


@pytest.mark.parametrize("trouble", [ConnectionError, asyncio.CancelledError])
async def test_closing_goes_on_while_a_destination_takes_anything(trouble: type[BaseException]) -> None:
    """One busy item, one broken connection, or a task of the driver's, costs none of the batches behind it."""
    entries = [make_entry(str(number)) for number in range(1_200)]
    busy = PartialDeliveryError("queue full", again=entries[:100], rejected=[])
    failing = FailingDestination(busy, trouble())
    lane = await deliver(failing, entries)
    assert (lane.counters.written, lane.counters.dropped) == (1_200, 0)
    down = FailingDestination(*[ConnectionError("down")] * 100)
    lane = await deliver(down, entries)
    assert (lane.counters.written, lane.counters.dropped, down.attempts) == (0, 1_200, 2)


async def test_a_rejected_entry_costs_no_neighbours_where_the_buffer_is_full() -> None:
    """Only what waits longest goes for newer entries, and not what a healthy destination is about to get."""
    rejecting = FailingDestination(*[RejectedError("no")] * 4)
    lane = BufferedDestination(rejecting, capacity=8, linger=0)
    for number in range(8):
        lane.put(make_entry(str(number)))
    await lane.open()
    await eventually(lambda: rejecting.attempts)
    for number in range(8, 16):
        lane.put(make_entry(str(number)))
    await eventually(lambda: not lane.counters.queued)
    await lane.close()
    assert (lane.counters.written, lane.counters.failed, lane.counters.dropped) == (15, 1, 0)


async def test_flushing_ends_although_entries_keep_coming() -> None:
    """What was there at the call is delivered; what comes later is not waited for."""
    lane = BufferedDestination(MemoryDestination(), linger=0)
    await lane.open()
    lane.put(make_entry())

    async def keep_busy() -> None:
        while True:
            lane.put(make_entry())
            await asyncio.sleep(0)

    busy = asyncio.create_task(keep_busy())
    async with asyncio.timeout(5):
        assert await lane.flush()
    busy.cancel()
    await lane.close()


async def test_batches_are_full_and_small_ones_wait_a_moment() -> None:
    """1,200 entries are three writes; one entry is written within the linger."""
    memory = MemoryDestination()
    lane = await deliver(memory, [make_entry() for _ in range(1_200)])
    assert memory.batches == [500, 500, 200]
    assert lane.counters.written == lane.counters.accepted == 1_200
    lane = BufferedDestination(memory, linger=0.05)
    await lane.open()
    begun = time.monotonic()
    lane.put(make_entry("alone"))
    await eventually(lambda: memory.entries[-1].message == "alone")
    assert time.monotonic() - begun < 1
    await lane.close()
    assert memory.closed == 2


async def test_a_full_buffer_keeps_the_newest() -> None:
    """What does not fit is dropped from the old end, also from a batch that failed, and counted."""
    failing = FailingDestination(*[ConnectionError("down")] * 3)
    lane = BufferedDestination(failing, capacity=10, linger=0)
    await lane.open()
    for number in range(25):
        lane.put(make_entry(str(number)))
    await eventually(lambda: not lane.counters.queued)
    await lane.close()
    assert failing.messages[-10:] == [str(number) for number in range(15, 25)]
    assert lane.counters.dropped == 25 - len(failing.entries)


async def test_a_destination_that_is_down_is_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    """Not once per attempt or entry; that it is back is said too."""
    failing = FailingDestination(*[ConnectionError("down today")] * 50)
    UnifiedLogger.initialize(MemoryDestination())
    lane = await deliver(failing, [])
    await lane.open()
    for _ in range(100):
        lane.put(make_entry())
    await eventually(lambda: lane.counters.written == 100)
    await lane.close()
    UnifiedLogger.shutdown()
    shown = capfd.readouterr().err
    assert shown.count("down today") == 1
    assert shown.count("delivering again") == 1


async def test_a_buffer_takes_entries_before_it_is_open_and_after_it_is_closed() -> None:
    """Early ones are delivered, late ones counted as dropped; closing twice is harmless."""
    memory = MemoryDestination()
    lane = BufferedDestination(memory)
    lane.put(make_entry("early"))
    await lane.open()
    await lane.close()
    lane.put(make_entry("late"))
    await lane.close()
    assert memory.messages == ["early"]
    assert (lane.counters.accepted, lane.counters.written, lane.counters.dropped) == (2, 1, 1)


async def test_reading_waits_for_what_was_just_logged() -> None:
    """A query through the buffer finds the entry that was put before it; entries keep the time of the event."""
    lane = BufferedDestination(MemoryDestination(), linger=5)
    await lane.open()
    entry = make_entry("a moment ago", timestamp=datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC))
    await lane.write(entry)
    assert await lane.query(text="moment") == [entry]
    await lane.close()


class SlowDestination(MemoryDestination):
    """Takes a tenth of a second for a batch."""

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Keep a batch, after a while."""
        await asyncio.sleep(0.1)
        await super().write_batch(entries)


async def test_entries_that_come_faster_than_they_go_are_said_once(capfd: pytest.CaptureFixture[str]) -> None:
    """A destination that is only slow drops the oldest, counts them, and stderr says so while it happens, once."""
    UnifiedLogger.initialize(MemoryDestination())
    lane = BufferedDestination(SlowDestination(), capacity=100, linger=0)
    await lane.open()
    for number in range(1_000):
        lane.put(make_entry(str(number)))
        await asyncio.sleep(0)
    await eventually(lambda: lane.counters.dropped)
    UnifiedLogger.flush()
    shown = capfd.readouterr().err
    assert shown.count("memory: its buffer of 100 entries is full") == 1
    assert "delivering again" not in shown
    await lane.close()


async def test_a_destination_that_takes_no_entry_of_a_batch_is_down(capfd: pytest.CaptureFixture[str]) -> None:
    """Busy item by item, with an answer for each: the reason is counted and said, smaller parts follow, all arrive."""
    UnifiedLogger.initialize(MemoryDestination())
    entries = [make_entry(str(number)) for number in range(8)]
    busy = FailingDestination(PartialDeliveryError("queue full", again=entries, rejected=[]))
    lane = BufferedDestination(busy, linger=0.05)
    await lane.open()
    for entry in entries:
        lane.put(entry)
    await eventually(lambda: lane.counters.last_error)
    assert lane.counters.last_error == "queue full"
    await eventually(lambda: lane.counters.written == 8)
    await lane.close()
    UnifiedLogger.flush()
    assert busy.messages == [str(number) for number in range(8)]
    assert busy.batches == [4, 4]
    shown = capfd.readouterr().err
    assert (shown.count("queue full"), shown.count("delivering again")) == (1, 1)


async def test_a_destination_that_refuses_everything_is_not_asked_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """After each entry that is refused by itself there is a pause, which the end does not wait for."""
    monkeypatch.setattr(buffered, "REJECTION_PAUSES", (60.0, 60.0))
    refusing = FailingDestination(*[RejectedError("no")] * 1_000)
    lane = BufferedDestination(refusing, linger=0)
    await lane.open()
    for number in range(100):
        lane.put(make_entry(str(number)))
    await eventually(lambda: lane.counters.failed)
    attempts = refusing.attempts
    for _ in range(100):
        await asyncio.sleep(0)
    assert (refusing.attempts, lane.counters.failed) == (attempts, 1)
    async with asyncio.timeout(5):
        await lane.close()
    assert lane.counters.failed + lane.counters.dropped == 100
