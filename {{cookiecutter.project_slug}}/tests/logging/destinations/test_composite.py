"""Several destinations as one."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from fake_destinations import MemoryDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations import CompositeDestination


@pytest.mark.parametrize("broken", [Mock(side_effect=ValueError), AsyncMock(side_effect=ValueError), Mock()])
async def test_each_destination_receives_an_entry_once(broken: Any) -> None:
    """Another one may raise, at once or when awaited, or return something that cannot be awaited."""
    first, second = Mock(write=broken), Mock(write=AsyncMock())
    entry = make_entry()
    await CompositeDestination([first, second]).write(entry)
    await CompositeDestination([second, first]).write(entry)
    assert first.write.call_count == second.write.await_count == 2
    second.write.assert_awaited_with(entry)
    broken.reset_mock()


async def test_a_batch_open_and_close_reach_every_destination() -> None:
    """A batch is not split."""
    first, second = MemoryDestination(), MemoryDestination()
    composite = CompositeDestination([first, second])
    await composite.open()
    await composite.write_batch([make_entry(), make_entry()])
    await composite.close()
    assert (first.batches, second.batches) == ([2], [2])
    assert (first.closed, second.closed) == (1, 1)


async def test_a_query_reads_the_first_readable_destination() -> None:
    """Write-only destinations are skipped; if there is no other, the query raises."""
    unreadable = AsyncMock(side_effect=NotImplementedError)
    memory, write_only = MemoryDestination(), Mock(query=unreadable, stats=unreadable)
    await memory.write(make_entry("found", log_type="tool_execution", tool_name="add"))
    both = CompositeDestination([write_only, memory])
    assert [entry.message for entry in await both.query()] == ["found"]
    assert [group.group for group in (await both.stats()).groups] == ["add"]
    for read in (CompositeDestination([write_only]).query, CompositeDestination([write_only]).stats):
        with pytest.raises(NotImplementedError, match="none of the destinations"):
            await read()
