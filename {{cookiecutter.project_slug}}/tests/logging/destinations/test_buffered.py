"""The buffer in front of a destination."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime

import pytest
from fake_destinations import FailingDestination, HangingDestination, MemoryDestination
from helpers import eventually, make_entry

from {{cookiecutter.project_slug}}.logging.destinations import (
    BufferedDestination,
    CompositeDestination,
    RetryWrapper,
)

pytestmark = pytest.mark.usefixtures("short_pauses")


async def test_an_unopened_buffer_opens_at_the_first_write() -> None:
    """The result of the factory can be written to, queried and closed like any destination."""
    memory = MemoryDestination()
    stack = CompositeDestination([BufferedDestination(memory)])
    await stack.write(make_entry("hello"))
    assert [entry.message for entry in await stack.query()] == ["hello"]
    await stack.write(make_entry("again"))
    await stack.close()
    assert memory.messages == ["hello", "again"]


def test_an_unclosed_buffer_continues_on_another_loop() -> None:
    """Its first loops end although the destination hangs; the queued entries are delivered when it is used again."""
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


async def test_flush_does_not_wait_for_later_entries() -> None:
    """It returns when the entries accepted before the call are delivered."""
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


async def test_a_full_buffer_drops_the_oldest() -> None:
    """Entries of a failed batch are dropped, too; all dropped entries are counted."""
    failing = FailingDestination(*[ConnectionError("down")] * 3)
    buffer = BufferedDestination(failing, capacity=10, linger=0)
    await buffer.open()
    for number in range(25):
        buffer.put(make_entry(str(number)))
    await eventually(lambda: not buffer.counters.queued)
    await buffer.close()
    assert failing.messages[-10:] == [str(number) for number in range(15, 25)]
    assert buffer.counters.dropped == 25 - len(failing.entries)


async def test_entries_are_accepted_before_open_and_after_close() -> None:
    """Early entries are delivered, late ones are counted as dropped; closing twice is harmless."""
    memory = MemoryDestination()
    buffer = BufferedDestination(memory)
    buffer.put(make_entry("early"))
    await buffer.open()
    await buffer.close()
    buffer.put(make_entry("late"))
    await buffer.close()
    assert memory.messages == ["early"]
    assert (buffer.counters.accepted, buffer.counters.written, buffer.counters.dropped) == (2, 1, 1)


async def test_a_query_finds_entries_that_are_still_queued() -> None:
    """It waits briefly for their delivery, and so do statistics; entries keep the time of their event."""
    buffer = BufferedDestination(RetryWrapper(MemoryDestination()), linger=5)
    await buffer.open()
    moment = datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)
    entry = make_entry("a moment ago", timestamp=moment, log_type="tool_execution", tool_name="add")
    await buffer.write(entry)
    assert await buffer.query(text="moment") == [entry]
    await buffer.write(make_entry("another", log_type="tool_execution", tool_name="add"))
    assert [(group.group, group.calls) for group in (await buffer.stats(by="tool")).groups] == [("add", 2)]
    await buffer.close()
