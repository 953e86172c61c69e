"""Capture every log line of loguru and of the standard library."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from loguru import logger

from .json_safe import readable

if TYPE_CHECKING:
    from loguru import Record

STDLIB_LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "SUCCESS": 25, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}
"""The numeric value of each level, in loguru and in the standard library."""
PACKAGE = __name__.partition(".")[0]
REPORTING = ("asyncio.", "concurrent.futures.", "mcp.", "py.warnings.", "python.", "threading.")
"""The loggers through which Python and the SDK report crashes and warnings; the names of theirs begin like this."""

_CORE: object = getattr(logger, "_core", None)
"""The state of loguru; None if this version keeps it elsewhere."""
_logger = logging.getLogger(__name__)


class Capture:
    """Send records from `level` up, warnings and crashes to `take_loguru` and `take_stdlib`."""

    def __init__(
        self,
        *,
        take_loguru: Callable[[Record], None],
        take_stdlib: Callable[[logging.LogRecord], None],
        level: str,
    ) -> None:
        self._take_loguru = take_loguru
        self._level = level
        self._threshold = STDLIB_LEVELS[level]
        self._sink: int | None = None
        self._handler = StdlibHandler(take_stdlib)

    def install(self) -> list[str]:
        """Capture, or capture again; return the names of what other code has removed or disabled in between."""
        _install_hooks()
        intact = {
            "loguru's sink": self._install_sink(),
            "loguru": _enable_loguru(),
            "the root logger's handler": self._install_handler(),
            "levels of `logging`": self._reset_levels(),
            "this project's loggers": _enable_loggers(f"{PACKAGE}."),
            "loggers of Python and the SDK": _enable_loggers(*REPORTING),
        }
        return [name for name, is_intact in intact.items() if not is_intact]

    @property
    def is_intact(self) -> bool:
        """Whether nothing seems to be removed or disabled: a look that takes a microsecond, for every call.

        Disabling is noticed by this module's own logger, which `logging.config` disables along with all others.
        """
        return (
            self._sink in getattr(_CORE, "handlers", ())
            and not _loguru_is_disabled()
            and self._handler in logging.root.handlers
            and self._has_levels()
            and not _logger.disabled
        )

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
        if self._sink in getattr(_CORE, "handlers", ()):
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
        was_there = self._handler in logging.root.handlers
        logging.root.addHandler(self._handler)
        return was_there

    def _reset_levels(self) -> bool:
        """Let records from the level up pass; return whether they did."""
        had_levels = self._has_levels()
        logging.root.setLevel(self._threshold)
        self._handler.setLevel(self._threshold)
        logging.root.disabled = False
        if logging.root.manager.disable >= self._threshold:
            logging.disable(logging.NOTSET)
        return had_levels

    def _has_levels(self) -> bool:
        root = logging.root
        level = max(root.level, self._handler.level, root.manager.disable + 1)
        return level <= self._threshold and not root.disabled


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


def log_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Log an exception that nothing could catch, such as one in `__del__`, as an error with its traceback."""
    place = getattr(unraisable.object, "__qualname__", type(unraisable.object).__name__)  # its `repr` may raise
    message = unraisable.err_msg or "Exception ignored in"
    logging.getLogger("python").error("%s %s", message, place, exc_info=unraisable.exc_value)


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


def _install_hooks() -> None:
    """Log warnings and crashes; leave the hooks of a debugger or a test runner alone."""
    logging.captureWarnings(capture=True)
    if threading.excepthook is threading.__excepthook__:
        threading.excepthook = log_thread_crash
    if sys.unraisablehook is sys.__unraisablehook__:
        sys.unraisablehook = log_unraisable


def _enable_loggers(*prefixes: str) -> bool:
    """Enable the loggers whose names begin like this; return whether they were enabled before."""
    loggers = [each for name, each in [*logging.root.manager.loggerDict.items()] if f"{name}.".startswith(prefixes)]
    disabled = [each for each in loggers if isinstance(each, logging.Logger) and each.disabled]
    for each in disabled:
        each.disabled = False
    return not disabled


def _loguru_is_disabled() -> bool:
    """Return whether other code has called `logger.disable` for all modules, or for this project."""
    switches = getattr(_CORE, "activation_list", ())
    return ("", False) in switches or (f"{PACKAGE}.", False) in switches


def _enable_loguru() -> bool:
    """Undo `logger.disable` for all modules and for this project; return whether it had not been called."""
    if not _loguru_is_disabled():
        return True
    logger.enable("" if ("", False) in getattr(_CORE, "activation_list", ()) else PACKAGE)
    return False


def _remove(sink: int) -> bool:
    """Remove a loguru sink; return whether it was there."""
    try:
        logger.remove(sink)
    except ValueError:
        return False
    return True
