"""The interface of destinations: what a subclass that only has `write` inherits."""

from __future__ import annotations

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination, LogEntry


class MinimalDestination(LogDestination):
    """A destination with the least possible code."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    async def write(self, entry: LogEntry) -> None:
        """Keep the message."""
        self.messages.append(entry.message)


async def test_a_batch_is_written_entry_by_entry() -> None:
    """The entries stay in order; `open` and `close` do nothing."""
    destination = MinimalDestination.from_config(None)
    await destination.open()
    await destination.write_batch([make_entry("a"), make_entry("b")])
    await destination.close()
    assert destination.messages == ["a", "b"]


async def test_a_query_raises_with_the_name_of_the_destination() -> None:
    """Destinations are write-only by default."""
    with pytest.raises(NotImplementedError, match=r"^custom is write-only"):
        await MinimalDestination().query()


def test_write_is_required() -> None:
    """A subclass without it cannot be instantiated."""
    incomplete = type("Incomplete", (LogDestination,), {})
    with pytest.raises(TypeError, match="write"):
        incomplete()
