"""Capture every log line of loguru and of the standard library."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from loguru import logger

from .json_safe import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from loguru import Message, Record

STDLIB_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "SUCCESS": 25, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
"""The numeric value of each level, in loguru and in the standard library."""

_loguru_sink: int | None = None
_recapture_loguru: Callable[[], bool] | None = None
_recapture_stdlib: Callable[[], bool] | None = None


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


def capture_loguru(take: Callable[[Record], None], *, level: str) -> bool:
    """Send loguru's records from `level` up to `take` instead of stderr; return whether our sink was still installed.

    The sink's filter takes the records. loguru calls it before it formats the exception and acquires its lock, so no
    thread waits for another one's values, and a value may log while it is formatted. The new sink is added before the
    old one is removed, so that no line is lost in between.
    """
    global _loguru_sink, _recapture_loguru  # noqa: PLW0603 - loguru has one logger per process

    def take_and_stop(record: Record) -> bool:
        take(record)
        return False

    previous = _loguru_sink
    _loguru_sink = logger.add(_discard, level=level, filter=take_and_stop)
    _recapture_loguru = partial(capture_loguru, take, level=level)
    guard_loguru()
    _remove(0)
    return previous is not None and _remove(previous)


def capture_stdlib(take: Callable[[logging.LogRecord], None], *, level: str) -> bool:
    """Send the standard library's records from `level` up, and warnings, to `take`; return as `capture_loguru` does."""
    global _recapture_stdlib  # noqa: PLW0603 - logging has one root logger per process
    root = logging.getLogger()
    previous = _own_handlers(root)
    handler = StdlibHandler(take)
    handler.setLevel(STDLIB_LEVELS[level])
    root.addHandler(handler)
    for each in previous:
        root.removeHandler(each)
    root.setLevel(STDLIB_LEVELS[level])
    logging.captureWarnings(capture=True)
    _recapture_stdlib = partial(capture_stdlib, take, level=level)
    return bool(previous)


def restore_capture() -> list[str]:
    """Capture again whatever other code has removed or disabled; return the names of those things."""
    checks = {
        "loguru's sink": _recapture_loguru,
        "the root logger's handler": _recapture_stdlib,
        "this project's loggers": _enable_own_loggers,
    }
    return [name for name, restore in checks.items() if restore is not None and not restore()]


def release() -> None:
    """Stop capturing."""
    global _loguru_sink, _recapture_loguru, _recapture_stdlib  # noqa: PLW0603 - see above
    if _loguru_sink is not None:
        _remove(_loguru_sink)
    _loguru_sink = _recapture_loguru = _recapture_stdlib = None
    root = logging.getLogger()
    for handler in _own_handlers(root):
        root.removeHandler(handler)
    logging.captureWarnings(capture=False)


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
        try:  # pass a copy of the values, because `opt(record=True)` adds the record to them
            original(self, level, decorated, (exception, depth + 1, *others), message, args, {**kwargs})
        except Exception:  # noqa: BLE001 - braces without a value, or a broken __format__, __str__ or __repr__
            raw, capture, patchers, extra = others[3:]
            plain = (exception, depth + 1, False, False, False, raw, capture, patchers, {**extra, **kwargs})
            text = message if isinstance(message, str) else str(readable(message))
            original(self, level, decorated, plain, text, (), {})

    guarded.is_guarded = True  # type: ignore[attr-defined]
    kind._log = guarded  # noqa: SLF001 - see above


def _own_handlers(root: logging.Logger) -> list[logging.Handler]:
    return [handler for handler in root.handlers if isinstance(handler, StdlibHandler)]


def _enable_own_loggers() -> bool:
    """Enable the loggers of this project; return whether they were enabled before."""
    package = __name__.partition(".")[0]
    loggers = [each for name, each in [*logging.root.manager.loggerDict.items()] if name.startswith(f"{package}.")]
    disabled = [each for each in loggers if isinstance(each, logging.Logger) and each.disabled]
    for each in disabled:
        each.disabled = False
    return not disabled


def _discard(_: Message) -> None:
    """Serve as a sink that no message reaches."""


def _remove(sink: int) -> bool:
    """Remove a sink; return whether it was there."""
    try:
        logger.remove(sink)
    except ValueError:
        return False
    return True
