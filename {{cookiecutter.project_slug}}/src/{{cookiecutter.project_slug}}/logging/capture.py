"""Hooks into loguru and the standard library's logging, so that every line becomes an entry."""

from __future__ import annotations

import io
import logging
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, TextIO

from loguru import logger

from .values import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from loguru import Message, Record

STDLIB_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "SUCCESS": 25, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
"""Numbers of loguru's level names, which standard library loggers share."""

LINE_LENGTH = 10_000
"""Characters of a printed line after which it is shown before its end has come."""

_loguru_sink: int | None = None
_loguru_again: Callable[[], bool] | None = None
_stdlib_again: Callable[[], bool] | None = None


class PrintedLines(io.TextIOBase):
    """A stream for what tools print: its lines are handed on, so that no `print` waits for a stderr nobody reads.

    A line that has no end yet is handed on when its thread flushes, and at the end of the stream. What wants anything
    else of a stream, such as its file descriptor, gets it from `stream`.
    """

    def __init__(self, take: Callable[[str], None], stream: TextIO) -> None:
        self._take = take
        self._stream = stream
        self._begun: dict[int, str] = {}  # by thread

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's encoding."""
        return self._stream.encoding

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._stream, name)

    def fileno(self) -> int:
        """Return the stream's file descriptor."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, text: str) -> int:
        """Hand on each line that is complete, or too long to wait for its end."""
        *lines, rest = (self._begun.pop(get_ident(), "") + text).split("\n")
        if len(rest) > LINE_LENGTH:
            lines, rest = [*lines, rest], ""
        if rest:
            self._begun[get_ident()] = rest
        for line in lines:
            self._take(line)
        return len(text)

    def flush(self) -> None:
        """Hand on the line that this thread has begun."""
        if line := self._begun.pop(get_ident(), ""):
            self._take(line)

    def close(self) -> None:
        """Hand on the lines that all threads have begun; happens by itself when nobody holds the stream any more."""
        for thread in list(self._begun):
            if line := self._begun.pop(thread, ""):
                self._take(line)
        super().close()


class StdlibHandler(logging.Handler):
    """Hands records of the standard library's loggers on; it holds no lock of its own and never raises."""

    def __init__(self, take: Callable[[logging.LogRecord], None]) -> None:
        super().__init__()
        self._take = take

    def createLock(self) -> None:  # noqa: N802 - logging's name
        """Do without a lock: what takes the records is safe for threads."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Hand a record on unless a filter holds it back; from Python 3.13 on the inherited one needs the lock."""
        kept = self.filter(record)
        if kept:
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return bool(kept)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand a record on."""
        try:
            self._take(record)
        except Exception:  # noqa: BLE001 - a log line never breaks who wrote it
            self.handleError(record)


def capture_loguru(take: Callable[[Record], None], *, level: str) -> bool:
    """Send loguru's records from `level` on to `take` instead of to stderr; return whether our sink was there before.

    They are taken by the sink's filter, which loguru calls before it formats the exception and before it takes its
    lock: nobody waits for another thread's values, and a value may log. The new sink comes before the old one goes, so
    that no line of another thread falls between them.
    """
    global _loguru_sink, _loguru_again  # noqa: PLW0603 - loguru has one logger for the process, and so one sink of ours

    def goes_further(record: Record) -> bool:
        take(record)
        return False

    before = _loguru_sink
    _loguru_sink = logger.add(_nowhere, level=level, filter=goes_further)
    _loguru_again = partial(capture_loguru, take, level=level)
    guard_loguru()
    _remove(0)
    return before is not None and _remove(before)


def capture_stdlib(take: Callable[[logging.LogRecord], None], *, level: str) -> bool:
    """Send the standard library's records from `level` on to `take`, and warnings; return as `capture_loguru` does."""
    global _stdlib_again  # noqa: PLW0603 - as above
    root = logging.getLogger()
    before = [handler for handler in root.handlers if isinstance(handler, StdlibHandler)]
    ours = StdlibHandler(take)
    ours.setLevel(STDLIB_LEVELS[level])
    root.addHandler(ours)
    for handler in before:
        root.removeHandler(handler)
    root.setLevel(STDLIB_LEVELS[level])
    logging.captureWarnings(capture=True)
    _stdlib_again = partial(capture_stdlib, take, level=level)
    return bool(before)


def capture_again() -> list[str]:
    """Capture what other code has let go since it was captured last, and return what that was."""
    gone = {
        "loguru's sink": _loguru_again,
        "the root logger's handler": _stdlib_again,
        "this project's loggers": _enable_again,
    }
    return [name for name, again in gone.items() if again is not None and not again()]


def _enable_again() -> bool:
    """Enable our own loggers, which say what becomes of entries; return whether they were enabled before."""
    package, known = __name__.partition(".")[0], list(logging.root.manager.loggerDict.values())
    loggers = [each for each in known if isinstance(each, logging.Logger) and each.name.startswith(f"{package}.")]
    disabled = [each for each in loggers if each.disabled]
    for each in disabled:
        each.disabled = False
    return not disabled


def release() -> None:
    """Let go of loguru and of the root logger."""
    global _loguru_sink, _loguru_again, _stdlib_again  # noqa: PLW0603 - as above
    if _loguru_sink is not None:
        _remove(_loguru_sink)
    _loguru_sink = _loguru_again = _stdlib_again = None
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler, StdlibHandler)]:
        root.removeHandler(handler)
    logging.captureWarnings(capture=False)


def guard_loguru() -> None:
    """Let a log call never raise because of its values: the template's text is logged instead.

    loguru formats before any sink or patcher sees the message, so the one place to do this is its private `_log`;
    without that attribute loguru stays as it is.
    """
    kind: Any = type(logger)
    original = getattr(kind, "_log", None)
    if original is None or getattr(original, "is_guarded", False):
        return

    def guarded(self: Any, level: Any, decorated: Any, options: Any, message: Any, args: Any, kwargs: Any) -> None:
        exception, depth, *others = options
        try:  # with a copy of the values, since `opt(record=True)` adds the record to them
            original(self, level, decorated, (exception, depth + 1, *others), message, args, {**kwargs})
        except Exception:  # noqa: BLE001 - braces without a value, a broken __format__, __str__ or __repr__
            raw, capture, patchers, extra = others[3:]
            plain = (exception, depth + 1, False, False, False, raw, capture, patchers, {**extra, **kwargs})
            text = message if isinstance(message, str) else str(readable(message))
            original(self, level, decorated, plain, text, (), {})

    guarded.is_guarded = True  # type: ignore[attr-defined]
    kind._log = guarded  # noqa: SLF001 - see above


def _nowhere(_: Message) -> None:
    """Stand for a sink that no message reaches."""


def _remove(sink: int) -> bool:
    """Remove a sink and return whether it was there."""
    try:
        logger.remove(sink)
    except ValueError:
        return False
    return True
