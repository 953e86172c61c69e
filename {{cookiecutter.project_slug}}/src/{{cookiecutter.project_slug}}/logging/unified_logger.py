"""Where tool calls and log lines enter the logging stack."""

from __future__ import annotations

import logging
import threading
from typing import ClassVar

from .capture import Capture
from .destinations.base import LogDestination
from .destinations.counters import Counters
from .drain import drain_at_exit
from .entries import EntryFactory, ServerInfo
from .entry import LogEntry
from .forks import after_fork_in_child
from .pipeline import Pipeline
from .settings import LogSettings


class UnifiedLogger:
    """The logger of this process. A script only needs `initialize`: its entries are delivered when it ends."""

    _pipeline: ClassVar[Pipeline | None] = None
    _capture: ClassVar[Capture | None] = None
    _drain: ClassVar[threading.Thread | None] = None

    @classmethod
    def initialize(
        cls, destination: LogDestination, *, settings: LogSettings | None = None, server: ServerInfo | None = None
    ) -> None:
        """Start delivering to `destination`, with retries and a buffer; drain and close the previous one."""
        settings = settings or LogSettings()
        previous, previous_capture = cls._pipeline, cls._capture
        pipeline = Pipeline(destination, settings=settings, server=server)
        cls._capture = Capture(
            take_loguru=pipeline.take_loguru, take_stdlib=pipeline.take_stdlib, level=settings.log_level
        )
        cls._capture.install()
        pipeline.start()
        cls._pipeline = pipeline
        cls._drain_at_exit()
        if previous_capture is not None:
            previous_capture.release()
        if previous is not None:
            previous.close(previous.settings.log_drain_timeout_ms / 1000)

    @classmethod
    def is_capturing(cls) -> bool:
        """Return whether log lines seem to be captured still; cheap enough for every call."""
        return cls._capture is None or cls._capture.is_intact

    @classmethod
    def restore_capture(cls) -> list[str]:
        """Capture log lines again; return the names of what other code has removed or disabled."""
        return [] if cls._capture is None else cls._capture.install()

    @classmethod
    def shutdown(cls, timeout: float | None = None) -> None:
        """Deliver the remaining entries and close the destinations, within `timeout` seconds (LOG_DRAIN_TIMEOUT_MS)."""
        pipeline = cls._pipeline
        if pipeline is not None:
            pipeline.close(pipeline.settings.log_drain_timeout_ms / 1000 if timeout is None else timeout)

    @classmethod
    def flush(cls, timeout: float = 5.0) -> bool:
        """Wait at most `timeout` seconds until everything logged so far is delivered; return whether it is."""
        return cls._pipeline is None or cls._pipeline.is_closed or cls._pipeline.flush(timeout)

    @classmethod
    def emit(cls, entry: LogEntry) -> None:
        """Record an entry; do nothing before `initialize`."""
        if cls._pipeline is not None:
            cls._pipeline.emit(entry)

    @classmethod
    def show(cls, text: str) -> None:
        """Show a text on stderr, in order with the log lines; it is not recorded."""
        if cls._pipeline is not None:
            record = logging.LogRecord("print", logging.INFO, __file__, 0, text, None, None)
            cls._pipeline.show(cls._pipeline.entries.from_stdlib(record))

    @classmethod
    def entries(cls) -> EntryFactory:
        """Return the factory for the entries of this process."""
        return cls._pipeline.entries if cls._pipeline is not None else EntryFactory()

    @classmethod
    def settings(cls) -> LogSettings:
        """Return the settings of the logging stack; the defaults before `initialize`."""
        return cls._pipeline.settings if cls._pipeline is not None else LogSettings()

    @classmethod
    def counters(cls) -> list[Counters]:
        """Return the counters of each destination, the console last."""
        return [] if cls._pipeline is None else [buffer.counters for buffer in cls._pipeline.all_buffers]

    @classmethod
    def _restart_in_child(cls) -> None:
        cls._drain = None
        if cls._pipeline is not None and not cls._pipeline.is_closed:
            cls._pipeline.restart_in_child()
            cls._drain_at_exit()

    @classmethod
    def _drain_at_exit(cls) -> None:
        if cls._drain is None:
            cls._drain = drain_at_exit(cls.shutdown)


after_fork_in_child(UnifiedLogger._restart_in_child)  # noqa: SLF001 - the class's own hook
