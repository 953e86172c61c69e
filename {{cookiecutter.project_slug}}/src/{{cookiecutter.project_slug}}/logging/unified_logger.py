"""The one place where tool calls and log lines meet the destinations."""

from __future__ import annotations

import copy
import logging
import os
import sys
import threading
import time
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from .capture import STDLIB_LEVELS, capture_loguru, capture_stdlib
from .destinations.base import LogDestination, LogEntry
from .destinations.buffered import BufferedDestination
from .destinations.console import ConsoleDestination
from .destinations.wrappers import CompositeDestination, RetryWrapper
from .entries import EntryFactory, ServerInfo
from .settings import LogSettings
from .writer import WriterThread, hold_off_forks, is_writer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from loguru import Record

    from .destinations.base import Counters

_T = TypeVar("_T")

DESTINATIONS_SHARE = 0.85
"""Share of the time for a drain that is the destinations'; stderr, which says what came of it, has the rest."""

OPENING_TIME = 0.5
"""Seconds that a start may wait for destinations to open, where they could not be opened at a program's end."""


class Pipeline:
    """The buffers, the threads that empty them, and what makes the entries.

    Every destination is a lane: a buffer and a thread of its own, so that none waits for another, not even for the
    import of its driver or where it blocks. The console is one more.
    """

    def __init__(self, destination: LogDestination, *, settings: LogSettings, server: ServerInfo | None) -> None:
        self.settings = settings
        self.entries = EntryFactory(
            server=server, max_text=settings.log_max_text_length, redact_keys=settings.log_redact_keys
        )
        self.lanes = tuple(_lanes(destination, settings))
        self.console = BufferedDestination(ConsoleDestination(settings.log_format), capacity=settings.log_buffer_size)
        self.all_lanes = (*self.lanes, self.console)
        self.is_closed = False
        self._threshold = STDLIB_LEVELS[settings.log_level]
        self._is_driver = _driver_test([name for lane in self.lanes for name in lane.driver_loggers])
        self._blueprints = [_blueprint(lane.destination) for lane in self.all_lanes]
        self._writers: list[WriterThread] = []

    def emit(self, entry: LogEntry) -> None:
        """Hand an entry to every destination, and to stderr where its level is shown: all tool calls are recorded."""
        for lane in self.lanes:
            lane.put(entry)
        if STDLIB_LEVELS.get(entry.level, self._threshold) >= self._threshold:
            self.show(entry)

    def show(self, entry: LogEntry) -> None:
        """Hand an entry to stderr only."""
        self.console.put(entry)
        if self.is_closed and isinstance(self.console.destination, ConsoleDestination):
            self.console.destination.write_now(entry)

    def take_loguru(self, record: Record) -> None:
        """Take a loguru record; one of a writer's own threads, or of a driver, goes to stderr only."""
        is_own = is_writer() or self._is_driver(record["name"])
        (self.show if is_own else self.emit)(self.entries.from_loguru(record))

    def take_stdlib(self, record: logging.LogRecord) -> None:
        """Take a standard library record; one of a writer's own threads, or of a driver, goes to stderr only."""
        is_own = is_writer() or self._is_driver(record.name)
        (self.show if is_own else self.emit)(self.entries.from_stdlib(record))

    def flush(self, timeout: float) -> bool:
        """Wait until what was logged so far is delivered; return False when that took longer than `timeout`."""
        deadline, left = time.monotonic() + timeout, self.all_lanes
        while left and (done := self._each(left, BufferedDestination.flush, max(0.0, deadline - time.monotonic()))):
            left = tuple(lane for lane in left if not done.get(lane))
        return not left

    def close(self, timeout: float) -> None:
        """Deliver what waits within `timeout` seconds, say what became of it, and end the threads."""
        if self.is_closed:
            return
        deadline = time.monotonic() + timeout
        self._each(self.lanes, BufferedDestination.close, timeout * DESTINATIONS_SHARE)
        for lane in self.lanes:
            lane.abandon()
        self._summarize()
        self._each((self.console,), BufferedDestination.close, max(0.0, deadline - time.monotonic()))
        self.is_closed = True
        for writer in self._writers:
            writer.stop()
        for writer in self._writers:
            writer.join(max(0.0, deadline - time.monotonic()))

    def _each(
        self,
        lanes: Sequence[BufferedDestination],
        work: Callable[[BufferedDestination], Coroutine[Any, Any, _T]],
        timeout: float,
    ) -> dict[BufferedDestination, _T]:
        """Run something on the lanes' threads and return what came of it in time; what did not end is cancelled."""
        pairs = zip(self.all_lanes, self._writers, strict=True)
        futures = {lane: writer.submit(work(lane)) for lane, writer in pairs if lane in lanes}
        done, late = wait(futures.values(), timeout)
        for future in late:
            future.cancel()
        return {lane: future.result() for lane, future in futures.items() if future in done and not _broke(future)}

    def restart(self) -> None:
        """Begin anew with empty buffers and threads of its own: what a forked child does."""
        for lane, blueprint in zip(self.all_lanes, self._blueprints, strict=True):
            lane.restart(_blueprint(blueprint))
        self.entries.forked()
        self.start()

    def start(self) -> None:
        """Begin to deliver; after the log lines are captured, so that what fails at once is said as later failures."""
        self._writers = [WriterThread() for _ in self.all_lanes]
        for lane, writer in zip(self.all_lanes, self._writers, strict=True):
            writer.submit(_open(lane))
        if sys.version_info[:2] == (3, 12):  # starts no threads after main's end, and drivers need theirs to drain
            self._each(self.lanes, BufferedDestination.flush, OPENING_TIME)

    def _summarize(self) -> None:
        for lane in self.lanes:
            counters = lane.counters
            lost = counters.dropped or counters.failed
            level = logging.WARNING if lost else logging.INFO
            if level >= self._threshold:
                record = logging.LogRecord(__name__, level, __file__, 0, str(counters), None, None)
                self.console.put(self.entries.from_stdlib(record))


class UnifiedLogger:
    """Tool calls, loguru lines and standard library lines, on their way to the destinations without anybody waiting.

    `initialize` is all that a script needs: what it logged is delivered when it ends.
    """

    _pipeline: ClassVar[Pipeline | None] = None
    _drain: ClassVar[threading.Thread | None] = None

    @classmethod
    def initialize(
        cls, destination: LogDestination, *, settings: LogSettings | None = None, server: ServerInfo | None = None
    ) -> None:
        """Start delivering to `destination`; one that was started before gets nothing new, is drained and closed."""
        settings = settings or LogSettings()
        pipeline, before = Pipeline(destination, settings=settings, server=server), cls._pipeline
        capture_loguru(pipeline.take_loguru, level=settings.log_level)
        capture_stdlib(pipeline.take_stdlib, level=settings.log_level)
        pipeline.start()
        cls._pipeline = pipeline
        cls._drain_at_exit()
        if before is not None:
            before.close(before.settings.log_drain_timeout_ms / 1000)

    @classmethod
    def shutdown(cls, timeout: float | None = None) -> None:
        """Deliver what waits and close the destinations, within `timeout` seconds (LOG_DRAIN_TIMEOUT_MS)."""
        pipeline = cls._pipeline
        if pipeline is not None:
            pipeline.close(pipeline.settings.log_drain_timeout_ms / 1000 if timeout is None else timeout)

    @classmethod
    def flush(cls, timeout: float = 5.0) -> bool:
        """Wait at most `timeout` seconds for everything logged so far to be delivered; return whether it was."""
        return cls._pipeline is None or cls._pipeline.is_closed or cls._pipeline.flush(timeout)

    @classmethod
    def emit(cls, entry: LogEntry) -> None:
        """Hand on an entry; without `initialize` it goes nowhere."""
        if cls._pipeline is not None:
            cls._pipeline.emit(entry)

    @classmethod
    def show(cls, text: str) -> None:
        """Show a text on stderr when its turn comes, and nowhere else."""
        if cls._pipeline is not None:
            record = logging.LogRecord("print", logging.INFO, __file__, 0, text, None, None)
            cls._pipeline.show(cls._pipeline.entries.from_stdlib(record))

    @classmethod
    def entries(cls) -> EntryFactory:
        """Return what makes the entries of this process."""
        return cls._pipeline.entries if cls._pipeline is not None else EntryFactory()

    @classmethod
    def counters(cls) -> list[Counters]:
        """Return what became of the entries, per destination, the console last."""
        pipeline = cls._pipeline
        return [] if pipeline is None else [lane.counters for lane in pipeline.all_lanes]

    @classmethod
    def _after_fork(cls) -> None:
        cls._drain = None
        if cls._pipeline is not None and not cls._pipeline.is_closed:
            cls._pipeline.restart()
            cls._drain_at_exit()

    @classmethod
    def _drain_at_exit(cls) -> None:
        if cls._drain is None:
            cls._drain = threading.Thread(target=_drain_after_main, name="log-drain", daemon=False)
            cls._drain.start()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=UnifiedLogger._after_fork)  # noqa: SLF001 - the class's own hook


def _broke(future: Future[Any]) -> bool:
    return future.cancelled() or future.exception() is not None


def _driver_test(drivers: Sequence[str]) -> Callable[[str | None], bool]:
    """Return what tells whether a logger is a driver's or below one; names come again and again."""
    prefixes = tuple(f"{name}." for name in drivers)

    @lru_cache(maxsize=1_024)
    def is_driver(name: str | None) -> bool:
        return f"{name}.".startswith(prefixes)

    return is_driver


async def _open(lane: BufferedDestination) -> None:
    """Begin to deliver, and import the driver before the first step of that, which says what is wrong with it."""
    await lane.open()
    if lane.driver:
        with hold_off_forks(), suppress(Exception):
            import_module(lane.driver)


def _lanes(destination: LogDestination, settings: LogSettings) -> list[BufferedDestination]:
    if isinstance(destination, CompositeDestination):
        return [lane for part in destination.destinations for lane in _lanes(part, settings)]
    if isinstance(destination, BufferedDestination):
        return [destination]
    if not isinstance(destination, RetryWrapper):
        destination = RetryWrapper.configured(destination, settings)
    return [BufferedDestination(destination, capacity=settings.log_buffer_size)]


def _blueprint(destination: LogDestination) -> LogDestination:
    """Return an unopened copy of an unopened destination; one that cannot be copied stands for itself."""
    try:
        return copy.deepcopy(destination)
    except Exception:  # noqa: BLE001 - what a destination of the user's holds is not ours to know
        return destination


def _drain_after_main() -> None:
    """Drain when the main thread has ended, and all others that the interpreter waits for and that may still log.

    `atexit` would be too late: drivers' threads are joined before it. Those are daemons, as the writers they come from.
    """
    main, own = threading.main_thread(), threading.current_thread()
    main.join()
    while others := [each for each in threading.enumerate() if not each.daemon and each not in (main, own)]:
        others[0].join()
    UnifiedLogger.shutdown()
