"""Destinations for tests: in memory, in a file, failing, hanging, write-only.

Processes that tests start can name them, too: `LOG_DESTINATION_TYPE=fake_destinations:HangingDestination`.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from helpers import read_json_lines

from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination, LogEntry
from {{cookiecutter.project_slug}}.logging.json_safe import encode_json
from {{cookiecutter.project_slug}}.logging.query import TEXT_FIELDS, LogQuery

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

JSON_LINES = "fake_destinations:JsonLinesDestination"
"""The dotted path of a destination that writes to the file named by TEST_JSON_LINES."""


class MemoryDestination(LogDestination):
    """Keep all entries in order; a query returns an entry once, even if it was written twice."""

    name = "memory"

    def __init__(self) -> None:
        self.entries: list[LogEntry] = []
        self.batches: list[int] = []
        """The size of each batch."""
        self.closed = 0

    @property
    def messages(self) -> list[str]:
        """The messages in the order in which they were written."""
        return [entry.message for entry in self.entries]

    async def write(self, entry: LogEntry) -> None:
        """Keep one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Keep a batch."""
        self.batches.append(len(entries))
        self.entries.extend(entries)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return matching entries."""
        return matching(self.entries, LogQuery.of(**filters))

    async def close(self) -> None:
        """Count the calls."""
        self.closed += 1


class JsonLinesDestination(LogDestination):
    """Write one JSON object per line, as a destination of the user's might do."""

    name = "jsonl"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @classmethod
    def from_config(cls, _: object) -> Self:
        """Build the destination as the factory does."""
        return cls(os.environ["TEST_JSON_LINES"])

    async def write(self, entry: LogEntry) -> None:
        """Append one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Append a batch in one write, so that the lines of several processes do not mix."""
        text = "".join(encode_json(entry.to_dict()) + "\n" for entry in entries)
        with self.path.open("ab", buffering=0) as file:
            file.write(text.encode())

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return matching entries from the file."""
        return matching(map(LogEntry.from_dict, read_json_lines(self.path)), LogQuery.of(**filters))


class LocalJsonLinesDestination(JsonLinesDestination):
    """A local destination for projects without one; patching its parent's `write_batch` does not affect it."""

    name = "local"
    write_batch = JsonLinesDestination.write_batch

    @classmethod
    def from_config(cls, _: object) -> Self:
        """Build the destination as the factory does."""
        return cls("local.jsonl")


class FailingDestination(MemoryDestination):
    """Raise each of these errors once, one per write, then work."""

    def __init__(self, *errors: BaseException) -> None:
        super().__init__()
        self.errors = list(errors)
        self.attempts = 0

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Raise the next error, or keep the batch."""
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)
        await super().write_batch(entries)


class HangingDestination(MemoryDestination):
    """Answer no write until `released` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.released = False
        self.attempts = 0

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Hang until released, then keep the batch."""
        self.attempts += 1
        while not self.released:  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.01)
        await super().write_batch(entries)


class WriteOnlyDestination(LogDestination):
    """Accept all entries; queries are not supported."""

    async def write(self, entry: LogEntry) -> None:
        """Accept an entry."""


class ForgetfulDestination(MemoryDestination):
    """Accept all entries and find none of them."""

    name = "forgetful"

    async def query(self, **_: Any) -> list[LogEntry]:
        """Return nothing."""
        return []


def matching(entries: Iterable[LogEntry], query: LogQuery) -> list[LogEntry]:
    """Return what a readable destination returns for a query."""
    found = [entry for entry in {entry.entry_id: entry for entry in entries}.values() if _matches(entry, query)]
    if query.slowest:
        found = sorted((e for e in found if e.duration_ms is not None), key=lambda entry: -(entry.duration_ms or 0))
    else:
        found.sort(key=lambda entry: entry.timestamp, reverse=True)
    return found[query.offset : query.offset + query.limit]


def _matches(entry: LogEntry, query: LogQuery) -> bool:
    texts = [str(getattr(entry, name) or "") for name in TEXT_FIELDS]
    return (
        all(getattr(entry, name) == value for name, value in query.equals.items())
        and (not query.level or entry.level in query.level)
        and (query.since is None or entry.timestamp >= query.since)
        and (query.until is None or entry.timestamp < query.until)
        and (query.text is None or any(query.text.lower() in text.lower() for text in texts))
        and (query.any_id is None or any(_is_part(query.any_id, of=i) for i in (entry.entry_id, entry.correlation_id)))
        and (query.min_duration_ms is None or (entry.duration_ms or -1) >= query.min_duration_ms)
    )


def _is_part(part: str, *, of: str) -> bool:
    return of.startswith(part) or of.endswith(part)
