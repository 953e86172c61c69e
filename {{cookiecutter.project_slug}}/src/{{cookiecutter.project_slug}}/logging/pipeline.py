"""From log lines and tool calls to the buffers of all destinations."""

from __future__ import annotations

import copy
import logging
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from .capture import STDLIB_LEVELS
from .destinations.base import LogDestination
from .destinations.buffered import BufferedDestination
from .destinations.console import ConsoleDestination
from .entries import EntryFactory, ServerInfo
from .entry import LogEntry
from .factory import buffers_of
from .forks import hold_off_forks
from .repeats import RepeatedLines
from .settings import LogSettings
from .writer_thread import WriterThread, is_writer_thread

if TYPE_CHECKING:
    from loguru import Record

_T = TypeVar("_T")

DESTINATIONS_SHARE = 0.85
"""Share of the drain time for the destinations; stderr, which reports the outcome, gets the rest."""
OPEN_TIMEOUT = 0.5
"""Seconds that `start` may wait for destinations to open, on the one Python version that requires it."""


class Pipeline:
    """One buffer and one writer thread per destination, including stderr, so that none delays another."""

    def __init__(self, destination: LogDestination, *, settings: LogSettings, server: ServerInfo | None) -> None:
        self.settings = settings
        self.entries = EntryFactory(
            server=server,
            max_text=settings.log_max_text_length,
            redact_keys=settings.log_redact_keys,
            redact_except=settings.log_redact_except,
        )
        self.buffers = tuple(buffers_of(destination, settings))
        self.console = BufferedDestination(ConsoleDestination(settings.log_format), capacity=settings.log_buffer_size)
        self.all_buffers = (*self.buffers, self.console)
        self.is_closed = False
        self._threshold = STDLIB_LEVELS[settings.log_level]
        self._is_driver_logger = _driver_logger_test(name for each in self.buffers for name in each.driver_loggers)
        self._repeated_lines = RepeatedLines()
        self._unopened = [_copy(buffer.destination) for buffer in self.all_buffers]
        self._writers: list[WriterThread] = []

    def emit(self, entry: LogEntry) -> None:
        """Pass an entry to every destination, and to stderr if its level is high enough."""
        for buffer in self.buffers:
            buffer.put(entry)
        if STDLIB_LEVELS.get(entry.level, self._threshold) >= self._threshold:
            self.show(entry)

    def show(self, entry: LogEntry) -> None:
        """Pass an entry to stderr only."""
        self.console.put(entry)
        if self.is_closed and isinstance(self.console.destination, ConsoleDestination):
            self.console.destination.write_now(entry)

    def take_loguru(self, record: Record) -> None:
        """Take a loguru record; one from a writer thread or a driver goes to stderr only, once in a while."""
        is_own = is_writer_thread() or self._is_driver_logger(record["name"])
        (self._show_driver_line if is_own else self.emit)(self.entries.from_loguru(record))

    def take_stdlib(self, record: logging.LogRecord) -> None:
        """Take a standard library record in the same way."""
        is_own = is_writer_thread() or self._is_driver_logger(record.name)
        (self._show_driver_line if is_own else self.emit)(self.entries.from_stdlib(record))

    def _show_driver_line(self, entry: LogEntry) -> None:
        if (shown := self._repeated_lines.shown(entry)) is not None:
            self.show(shown)

    def start(self) -> None:
        """Start delivery. Call it after log lines are captured, so that early failures are reported like later ones."""
        self._writers = [WriterThread() for _ in self.all_buffers]
        for buffer, writer in zip(self.all_buffers, self._writers, strict=True):
            writer.submit(_open(buffer))
        if sys.version_info[:2] == (3, 12):  # it cannot start threads after the main thread has ended
            self._run_on_each(self.buffers, BufferedDestination.flush, OPEN_TIMEOUT)

    def restart_in_child(self) -> None:
        """Start over in a forked child, with empty buffers and new threads."""
        for buffer, unopened in zip(self.all_buffers, self._unopened, strict=True):
            buffer.restart(_copy(unopened))
        self.entries.update_process_id()
        self.start()

    def flush(self, timeout: float) -> bool:
        """Wait until everything logged so far is delivered; return False if that takes longer than `timeout`."""
        deadline, left = time.monotonic() + timeout, self.all_buffers
        while left:
            done = self._run_on_each(left, BufferedDestination.flush, max(0.0, deadline - time.monotonic()))
            if not done:
                break
            left = tuple(buffer for buffer in left if not done.get(buffer))
        return not left

    def close(self, timeout: float) -> None:
        """Deliver the remaining entries within `timeout` seconds, report the outcome, and end the threads."""
        if self.is_closed:
            return
        deadline = time.monotonic() + timeout
        self._run_on_each(self.buffers, BufferedDestination.close, timeout * DESTINATIONS_SHARE)
        for buffer in self.buffers:
            buffer.abandon()
        for repeated in self._repeated_lines.rest():
            self.show(repeated)
        self._report_counters()
        self._run_on_each((self.console,), BufferedDestination.close, max(0.0, deadline - time.monotonic()))
        self.is_closed = True
        for writer in self._writers:
            writer.stop()
        for writer in self._writers:
            writer.join(max(0.0, deadline - time.monotonic()))

    def _run_on_each(
        self,
        buffers: Sequence[BufferedDestination],
        method: Callable[[BufferedDestination], Coroutine[Any, Any, _T]],
        timeout: float,
    ) -> dict[BufferedDestination, _T]:
        """Call a method of each buffer on its thread; return the results that arrive in time, cancel the others."""
        pairs = zip(self.all_buffers, self._writers, strict=True)
        futures = {buffer: writer.submit(method(buffer)) for buffer, writer in pairs if buffer in buffers}
        done, late = wait(futures.values(), timeout)
        for future in late:
            future.cancel()
        return {buffer: future.result() for buffer, future in futures.items() if future in done and _succeeded(future)}

    def _report_counters(self) -> None:
        for buffer in self.buffers:
            counters = buffer.counters
            level = logging.WARNING if counters.dropped or counters.failed else logging.INFO
            if counters.accepted and level >= self._threshold:
                record = logging.LogRecord(__name__, level, __file__, 0, str(counters), None, None)
                self.console.put(self.entries.from_stdlib(record))


def _succeeded(future: Future[Any]) -> bool:
    return not future.cancelled() and future.exception() is None


def _driver_logger_test(drivers: Iterable[str]) -> Callable[[str | None], bool]:
    """Return a cached function that tells whether a logger belongs to a driver."""
    prefixes = tuple(f"{name}." for name in drivers)

    @lru_cache(maxsize=1_024)
    def is_driver_logger(name: str | None) -> bool:
        return f"{name}.".startswith(prefixes)

    return is_driver_logger


async def _open(buffer: BufferedDestination) -> None:
    """Start delivery, then import the driver with forks held off; `open` reports a failing import."""
    await buffer.open()
    if buffer.driver:
        with hold_off_forks(), suppress(Exception):
            import_module(buffer.driver)


def _copy(destination: LogDestination) -> LogDestination:
    """Return a copy of an unopened destination, or the destination itself if it cannot be copied."""
    try:
        return copy.deepcopy(destination)
    except Exception:  # noqa: BLE001 - a destination of the user's may hold anything
        return destination
