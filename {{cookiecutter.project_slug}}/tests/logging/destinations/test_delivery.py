"""The delivery loop: batches, outages, invalid entries, and what is reported about them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from fake_destinations import FailingDestination, MemoryDestination
from helpers import deliver, eventually, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import BufferedDestination, RetryWrapper, delivery
from {{cookiecutter.project_slug}}.logging.destinations.counters import Counters
from {{cookiecutter.project_slug}}.logging.errors import AccessError, InvalidEntryError, PartialDeliveryError
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from {{cookiecutter.project_slug}}.logging.destinations import LogEntry

pytestmark = pytest.mark.usefixtures("short_pauses")


async def test_a_destination_that_cannot_be_opened_is_opened_later() -> None:
    """Whether `open` raises or hangs, it is called again, and no entry is lost."""

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


async def test_rejected_credentials_are_reported_as_a_loss(capfd: pytest.CaptureFixture[str]) -> None:
    """Entries do not wait for a correct password: the report says that they are dropped."""

    class LockedDestination(MemoryDestination):
        async def open(self) -> None:
            msg = "wrong password"
            raise AccessError(msg)

    UnifiedLogger.initialize(LockedDestination())
    UnifiedLogger.flush()
    UnifiedLogger.shutdown()
    consequence = "entries are dropped until this is fixed, 0 dropped so far"
    assert f"memory: wrong password ({consequence})" in capfd.readouterr().err


async def test_closing_delivers_all_batches_despite_single_failures() -> None:
    """A busy item, a broken connection or a cancelled task of the driver costs no later batch."""
    for failure in (ConnectionError(), asyncio.CancelledError()):
        entries = [make_entry(str(number)) for number in range(1_200)]
        busy = PartialDeliveryError("queue full", retryable=entries[:100], invalid=[])
        buffer = await deliver(FailingDestination(busy, failure), entries)
        assert (buffer.counters.written, buffer.counters.dropped) == (1_200, 0)


async def test_closing_gives_up_on_a_destination_that_is_down() -> None:
    """It makes two attempts, and counts all entries as dropped."""
    down = FailingDestination(*[ConnectionError("down")] * 100)
    buffer = await deliver(down, [make_entry() for _ in range(1_200)])
    assert (buffer.counters.written, buffer.counters.dropped, down.attempts) == (0, 1_200, 2)


async def test_an_invalid_entry_costs_no_other_entry_of_a_full_buffer() -> None:
    """The batch is halved until the entry is alone; entries in flight are not dropped for newer ones."""
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


async def test_a_batch_is_full_or_written_after_the_linger() -> None:
    """1,200 entries are three writes; a single entry is written soon."""
    memory = MemoryDestination()
    buffer = await deliver(memory, [make_entry() for _ in range(1_200)])
    assert memory.batches == [500, 500, 200]
    assert buffer.counters.written == buffer.counters.accepted == 1_200
    buffer = BufferedDestination(memory, linger=0.05)
    await buffer.open()
    started = time.monotonic()
    buffer.put(make_entry("alone"))
    await eventually(lambda: memory.entries[-1].message == "alone")
    assert time.monotonic() - started < 1
    await buffer.close()
    assert memory.closed == 2


async def test_an_outage_is_reported_once(capfd: pytest.CaptureFixture[str]) -> None:
    """There is no report per attempt or per entry; the recovery is reported, too."""
    failing = FailingDestination(*[ConnectionError("down today")] * 50)
    UnifiedLogger.initialize(MemoryDestination())
    buffer = await deliver(failing, [])
    await buffer.open()
    for _ in range(100):
        buffer.put(make_entry())
    await eventually(lambda: buffer.counters.written == 100)
    await buffer.close()
    UnifiedLogger.shutdown()
    err = capfd.readouterr().err
    assert err.count("down today") == 1
    assert err.count("delivering again") == 1


class SlowDestination(MemoryDestination):
    """A destination that needs 100 ms for a batch."""

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Wait, then keep the batch."""
        await asyncio.sleep(0.1)
        await super().write_batch(entries)


async def test_an_overflow_is_reported_once(capfd: pytest.CaptureFixture[str]) -> None:
    """A slow destination loses the oldest entries; they are counted, and stderr shows it while it happens."""
    UnifiedLogger.initialize(MemoryDestination())
    buffer = BufferedDestination(SlowDestination(), capacity=100, linger=0)
    await buffer.open()
    for number in range(1_000):
        buffer.put(make_entry(str(number)))
        await asyncio.sleep(0)
    await eventually(lambda: buffer.counters.dropped)
    UnifiedLogger.flush()
    err = capfd.readouterr().err
    assert err.count("memory: its buffer of 100 entries is full") == 1
    assert "delivering again" not in err
    await buffer.close()


async def test_a_batch_without_any_accepted_entry_is_an_outage(capfd: pytest.CaptureFixture[str]) -> None:
    """The reason is counted and reported, and smaller parts follow until all entries are delivered."""
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
    err = capfd.readouterr().err
    assert (err.count("queue full"), err.count("delivering again")) == (1, 1)


async def test_a_destination_that_rejects_everything_gets_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause follows each invalid entry; `close` does not wait for it."""
    monkeypatch.setattr(delivery, "INVALID_ENTRY_PAUSES", (60.0, 60.0))
    rejecting = FailingDestination(*[InvalidEntryError("no")] * 1_000)
    buffer = BufferedDestination(rejecting, linger=0)
    await buffer.open()
    for number in range(100):
        buffer.put(make_entry(str(number)))
    await eventually(lambda: buffer.counters.failed)
    attempts = rejecting.attempts
    for _ in range(100):
        await asyncio.sleep(0)
    assert (rejecting.attempts, buffer.counters.failed) == (attempts, 1)
    async with asyncio.timeout(5):
        await buffer.close()
    assert buffer.counters.failed + buffer.counters.dropped == 100


class ClosedForSomeDestination(MemoryDestination):
    """A destination that cannot store some entries for the moment, like a store with one blocked partition."""

    is_open = False

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Keep the entries that it can store; the others are to be retried."""
        waiting = [entry for entry in entries if entry.message.startswith("wait") and not self.is_open]
        self.entries.extend(entry for entry in entries if entry not in waiting)
        if waiting:
            msg = "the partition is blocked"
            raise PartialDeliveryError(msg, retryable=waiting, invalid=[])


async def test_entries_that_have_to_wait_do_not_delay_others(capfd: pytest.CaptureFixture[str]) -> None:
    """Newer entries are delivered first; none is lost, and no recovery is reported until all are delivered."""
    UnifiedLogger.initialize(MemoryDestination())
    partial = ClosedForSomeDestination()
    buffer = BufferedDestination(RetryWrapper(partial, 2, 1), linger=0)
    await buffer.open()
    for number in range(100):
        buffer.put(make_entry(f"wait {number}"))
    assert not await buffer.flush()
    for number in range(1_000):
        buffer.put(make_entry(f"go {number}"))
    await eventually(lambda: buffer.counters.written == 1_000)
    assert partial.messages == [f"go {number}" for number in range(1_000)]
    assert buffer.counters.queued == 100
    UnifiedLogger.flush()
    assert "delivering again" not in capfd.readouterr().err
    partial.is_open = True
    await eventually(lambda: buffer.counters.written == 1_100)
    await buffer.close()
    UnifiedLogger.flush()
    assert (buffer.counters.failed, buffer.counters.dropped) == (0, 0)
    assert "delivering again" in capfd.readouterr().err


async def test_closing_delivers_the_entries_behind_those_that_have_to_wait() -> None:
    """Only the blocked ones are dropped."""
    entries = [make_entry(f"{'wait' if number < 300 else 'go'} {number}") for number in range(1_300)]
    buffer = await deliver(RetryWrapper(ClosedForSomeDestination(), 1, 1), entries)
    assert (buffer.counters.written, buffer.counters.dropped) == (1_000, 300)


class PickyDestination(MemoryDestination):
    """A destination that rejects each batch with an invalid entry, as databases do."""

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Keep the batch unless it contains the invalid entry."""
        self.batches.append(len(entries))
        if any(entry.message == "invalid" for entry in entries):
            msg = "invalid"
            raise InvalidEntryError(msg)
        self.entries.extend(entries)


async def test_an_invalid_entry_is_isolated_in_few_attempts() -> None:
    """The other 499 of the batch arrive in order."""
    picky = PickyDestination()
    entries = [make_entry("invalid" if number == 321 else str(number)) for number in range(500)]
    buffer = await deliver(RetryWrapper(picky, 2, 1), entries)
    assert picky.messages == [str(number) for number in range(500) if number != 321]
    assert (buffer.counters.written, buffer.counters.failed) == (499, 1)
    assert len(picky.batches) < 40
