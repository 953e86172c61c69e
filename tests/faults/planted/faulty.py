"""Destinations that fail in Python: what no proxy can do to a driver."""

# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from baked_server.logging.destinations.base import LogDestination, LogEntry

if TYPE_CHECKING:
    from collections.abc import Sequence


class Hanging(LogDestination):
    """Never returns."""

    name = "hanging"

    async def write(self, entry: LogEntry) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


class HangingAgain(Hanging):
    """Never returns, under another name."""

    name = "hanging again"


class Clinging(LogDestination):
    """Never returns, and does not let itself be cancelled either."""

    name = "clinging"

    async def write(self, entry: LogEntry) -> None:
        """Wait for ever, whoever asks to stop."""
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue


class Raising(LogDestination):
    """Raises."""

    name = "raising"

    async def write(self, entry: LogEntry) -> None:
        """Raise."""
        msg = "planted"
        raise OSError(msg)


class Cancelling(LogDestination):
    """Raises CancelledError, as drivers do whose own tasks were cancelled, for the first writes; then counts."""

    name = "cancelling"
    writes = 0

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Raise CancelledError three times."""
        self.writes += 1
        if self.writes <= 3:
            raise asyncio.CancelledError

    async def write(self, entry: LogEntry) -> None:
        """Do as `write_batch`."""
        await self.write_batch([entry])


class Leaving(Cancelling):
    """Raises SystemExit for the first writes; then counts."""

    name = "leaving"

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Raise SystemExit three times."""
        self.writes += 1
        if self.writes <= 3:
            raise SystemExit(3)


class Blocking(LogDestination):
    """Blocks the thread it is called on, which a destination must not do."""

    name = "blocking"

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Block for as long as the variable BLOCKING_SECONDS says."""
        time.sleep(float(os.environ.get("BLOCKING_SECONDS", "3600")))  # noqa: ASYNC251 - what is under test

    async def write(self, entry: LogEntry) -> None:
        """Block."""
        await self.write_batch([entry])


class InExecutor(LogDestination):
    """Blocks a thread of the loop's executor, as a look-up of a name does."""

    name = "in executor"

    async def write(self, entry: LogEntry) -> None:
        """Block a worker thread."""
        await asyncio.to_thread(time.sleep, 3600)


class Appending(LogDestination):
    """Appends messages to the file that the variable APPENDING_FILE names: a healthy destination of a user's own."""

    name = "appending"

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Append a line per entry."""
        with Path(os.environ["APPENDING_FILE"]).open("a", encoding="utf-8") as file:
            file.writelines(f"{entry.message}\n" for entry in entries)

    async def write(self, entry: LogEntry) -> None:
        """Append a line."""
        await self.write_batch([entry])


class Talking(Appending):
    """Logs at DEBUG for each entry it writes, from the writer's thread and from a thread of its own."""

    name = "talking"
    driver_loggers = ("talking_driver",)

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write, and talk about it."""
        for entry in entries:
            logging.getLogger("talking_driver.wire").debug("sent %s", entry.entry_id)
            logging.getLogger("library_of_the_driver").debug("sent %s", entry.entry_id)
        thread = threading.Thread(target=logging.getLogger("talking_driver").debug, args=("sent all",))
        thread.start()
        thread.join()
        await super().write_batch(entries)
