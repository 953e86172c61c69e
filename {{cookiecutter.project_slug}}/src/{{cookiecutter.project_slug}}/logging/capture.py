"""Capture every log line of loguru and of the standard library."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from loguru import logger

from .json_safe import readable

if TYPE_CHECKING:
    from loguru import Record

STDLIB_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "SUCCESS": 25, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
"""The numeric value of each level, in loguru and in the standard library."""


class Capture:
    """Send records from `level` up, warnings and crashes of threads to `take_loguru` and `take_stdlib`."""

    def __init__(
        self,
        *,
        take_loguru: Callable[[Record], None],
        take_stdlib: Callable[[logging.LogRecord], None],
        level: str,
    ) -> None:
        self._take_loguru = take_loguru
        self._level = level
        self._sink: int | None = None
        self._handler = StdlibHandler(take_stdlib)
        self._handler.setLevel(STDLIB_LEVELS[level])

    def install(self) -> list[str]:
        """Capture, or capture again; return the names of what other code has removed or disabled in between."""
        intact = {
            "loguru's sink": self._install_sink(),
            "the root logger's handler": self._install_handler(),
            "this project's loggers": _enable_own_loggers(),
        }
        return [name for name, is_intact in intact.items() if not is_intact]

    def release(self) -> None:
        """Stop capturing."""
        if self._sink is not None:
            _remove(self._sink)
        self._sink = None
        logging.getLogger().removeHandler(self._handler)

    def _install_sink(self) -> bool:
        """Add a loguru sink unless it is there; return whether it was.

        Its filter takes the records: loguru calls it before it formats the exception and acquires its lock, so a value
        may log while it is formatted. The new sink comes before the old one goes, so that no line is lost in between.
        """
        if self._sink in getattr(getattr(logger, "_core", None), "handlers", ()):
            return True  # adding a sink again takes milliseconds
        previous = self._sink
        self._sink = logger.add(lambda _: None, level=self._level, filter=self._take_and_stop)
        guard_loguru()
        _remove(0)
        return previous is not None and _remove(previous)

    def _take_and_stop(self, record: Record) -> bool:
        self._take_loguru(record)
        return False

    def _install_handler(self) -> bool:
        """Add the handler to the root logger; return whether it was still there."""
        root = logging.getLogger()
        was_there = self._handler in root.handlers
        root.addHandler(self._handler)
        root.setLevel(STDLIB_LEVELS[self._level])
        logging.captureWarnings(capture=True)
        if threading.excepthook is threading.__excepthook__:  # leave the hook of a debugger or a test runner alone
            threading.excepthook = log_thread_crash
        return was_there


class StdlibHandler(logging.Handler):
    """Pass standard library records to `take`. It has no lock and never raises."""

    def __init__(self, take: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._take = take

    def createLock(self) -> None:  # noqa: N802 - logging's name
        """Create no lock: `take` is thread-safe."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit a record that passes the filters; since Python 3.13 the inherited method needs the lock."""
        kept = self.filter(record)
        if kept:
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return bool(kept)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on."""
        try:
            self._take(record)
        except Exception:  # noqa: BLE001 - a log line never raises in its caller
            self.handleError(record)


def log_thread_crash(crash: threading.ExceptHookArgs) -> None:
    """Log an exception that ended a thread, as an error with its traceback."""
    if crash.exc_value is not None and not isinstance(crash.exc_value, SystemExit):
        name = "unknown" if crash.thread is None else crash.thread.name
        logging.getLogger("threading").error("the thread %s crashed", name, exc_info=crash.exc_value)


def guard_loguru() -> None:
    """Make log calls never raise because of their values: fall back to the text of the template.

    loguru formats messages before any sink or patcher runs, so the only place for this is its private `_log`. If that
    does not exist, loguru stays unchanged.
    """
    kind: Any = type(logger)
    original = getattr(kind, "_log", None)
    if original is None or getattr(original, "is_guarded", False):
        return

    def guarded(self: Any, level: Any, decorated: Any, options: Any, message: Any, args: Any, kwargs: Any) -> None:
        exception, depth, *others = options
        try:  # a copy of the values, because `opt(record=True)` adds the record to them
            original(self, level, decorated, (exception, depth + 1, *others), message, args, {**kwargs})
        except Exception:  # noqa: BLE001 - braces without a value, or a broken __format__, __str__ or __repr__
            raw, capture, patchers, extra = others[3:]
            plain = (exception, depth + 1, False, False, False, raw, capture, patchers, {**extra, **kwargs})
            text = message if isinstance(message, str) else str(readable(message))
            original(self, level, decorated, plain, text, (), {})

    guarded.is_guarded = True  # type: ignore[attr-defined]
    kind._log = guarded  # noqa: SLF001 - see above


def _enable_own_loggers() -> bool:
    """Enable the loggers of this project; return whether they were enabled before."""
    package = __name__.partition(".")[0]
    loggers = [each for name, each in [*logging.root.manager.loggerDict.items()] if name.startswith(f"{package}.")]
    disabled = [each for each in loggers if isinstance(each, logging.Logger) and each.disabled]
    for each in disabled:
        each.disabled = False
    return not disabled


def _remove(sink: int) -> bool:
    """Remove a loguru sink; return whether it was there."""
    try:
        logger.remove(sink)
    except ValueError:
        return False
    return True
