"""The bounded queue between the threads that log and the loop that delivers."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.entry_queue import EntryQueue


class Overflows:
    """Count the reports that the queue is full."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        """Count a report."""
        self.count += 1


@pytest.fixture
def overflows() -> Overflows:
    """Return the counter of the queue's reports."""
    return Overflows()


@pytest.fixture
def queue(overflows: Overflows) -> EntryQueue:
    """Return a queue for five entries."""
    return EntryQueue(5, on_overflow=overflows)


def put(queue: EntryQueue, *messages: str) -> None:
    """Put one entry per message."""
    for message in messages:
        queue.put(make_entry(message))


def messages(queue: EntryQueue, limit: int = 100) -> list[str]:
    """Take entries and return their messages."""
    return [entry.message for entry in queue.take(limit)]


def test_entries_are_taken_in_order_up_to_the_limit(queue: EntryQueue) -> None:
    """An empty queue returns an empty list."""
    put(queue, "a", "b", "c")
    assert messages(queue, 2) == ["a", "b"]
    assert messages(queue, 2) == ["c"]
    assert messages(queue, 2) == []


def test_a_full_queue_drops_the_oldest_entry(queue: EntryQueue) -> None:
    """Dropped entries count as accepted, too."""
    put(queue, *"abcdefg")
    assert (len(queue), queue.accepted.value) == (5, 7)
    assert messages(queue) == ["c", "d", "e", "f", "g"]


def test_put_works_from_many_threads(queue: EntryQueue) -> None:
    """Each entry is counted."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: put(queue, str(number)), range(1_000)))
    assert (len(queue), queue.accepted.value) == (5, 1_000)


async def test_waiting_ends_when_the_number_of_entries_is_reached(queue: EntryQueue) -> None:
    """The entries may come from another thread; the timeout is not used up."""
    queue.attach()
    waiting = asyncio.create_task(queue.wait_for(3, timeout=60))
    await asyncio.to_thread(put, queue, "a", "b")
    assert not waiting.done()
    await asyncio.to_thread(put, queue, "c")
    async with asyncio.timeout(5):
        await waiting


async def test_waiting_for_entries_that_are_there_ends_at_once(queue: EntryQueue) -> None:
    """No signal is needed."""
    queue.attach()
    put(queue, "a")
    async with asyncio.timeout(5):
        await queue.wait_for(1)


async def test_waiting_ends_after_the_timeout(queue: EntryQueue) -> None:
    """The entries so far can be taken."""
    queue.attach()
    put(queue, "a")
    started = time.monotonic()
    await queue.wait_for(3, timeout=0.05)
    assert 0.04 < time.monotonic() - started < 5
    assert messages(queue) == ["a"]


async def test_waiting_can_be_interrupted(queue: EntryQueue) -> None:
    """A flush does that."""
    queue.attach()
    waiting = asyncio.create_task(queue.wait_for(1))
    await asyncio.sleep(0)
    queue.interrupt()
    async with asyncio.timeout(5):
        await waiting


async def test_the_consumer_is_signalled_once(queue: EntryQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal per entry would cost more than everything else."""
    queue.attach()
    waiting = asyncio.create_task(queue.wait_for(2))
    await asyncio.sleep(0)
    callbacks: list[object] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_soon_threadsafe", callbacks.append)
    put(queue, "a", "b", "c", "d", "e")
    assert callbacks == [queue.interrupt]
    waiting.cancel()


async def test_an_overflow_is_reported_once_until_it_is_rearmed(queue: EntryQueue, overflows: Overflows) -> None:
    """The report runs on the consumer's loop."""
    queue.attach()
    put(queue, *"abcdefgh")
    await asyncio.sleep(0)
    assert overflows.count == 1
    queue.rearm_overflow()
    put(queue, "i")
    await asyncio.sleep(0)
    assert overflows.count == 2


def test_a_queue_whose_loop_has_ended_accepts_entries(queue: EntryQueue) -> None:
    """They are there for the next loop."""

    async def attach() -> None:
        queue.attach()

    asyncio.run(attach())
    put(queue, "a")
    assert messages(queue) == ["a"]
