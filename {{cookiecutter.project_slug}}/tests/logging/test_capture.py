"""All lines of loguru and the standard library are captured, and logging never raises in the caller."""

from __future__ import annotations

import logging
import logging.config
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from helpers import Broken, program_path
from loguru import logger

from {{cookiecutter.project_slug}}.logging.capture import PACKAGE, Capture, StdlibHandler, guard_loguru
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from fake_destinations import MemoryDestination


@pytest.mark.parametrize(("option", "text"), [("record", "{record[x]}"), ("colors", "{key} <b>"), ("lazy", "{key}")])
def test_no_option_of_loguru_raises_in_the_caller(memory: MemoryDestination, option: str, text: str) -> None:
    """A line that cannot be formatted, coloured or evaluated is logged as its template, with its values."""
    logger.opt(**{option: True}).info(text, key=1)
    UnifiedLogger.flush()
    assert [(entry.message, entry.extra_data) for entry in memory.entries] == [(text, {"key": 1})]


def test_braces_and_broken_values_never_raise_in_the_caller(
    memory: MemoryDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line whose values cannot be formatted is logged with the text of its template."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [handler for handler in root.handlers if isinstance(handler, StdlibHandler)])
    logger.info("braces {} and {missing} {", key="value")
    logger.info("broken {value}", value=Broken())
    logger.info(Broken(), key=1)
    logging.getLogger("app").warning("wrong %d %s", "number")  # noqa: PLE1206 - on purpose
    logging.getLogger("app").warning("broken %s", Broken())
    logger.bind(thing=Broken()).info("bound")
    logger.info("fine {value}", value=1)
    assert UnifiedLogger.flush()
    assert memory.messages[:2] == ["braces {} and {missing} {", "broken {value}"]
    assert memory.messages[3:] == ["wrong %d %s", "broken %s", "bound", "fine 1"]
    assert memory.entries[0].extra_data == {"key": "value"}


def test_a_loguru_without_the_guarded_method_stays_unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guarded method is private and may be renamed."""
    monkeypatch.delattr(type(logger), "_log")
    guard_loguru()
    assert not hasattr(type(logger), "_log")


def test_warnings_are_captured(memory: MemoryDestination) -> None:
    """As lines of the logger `py.warnings`."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("beware", UserWarning, stacklevel=1)
    UnifiedLogger.flush()
    (entry,) = memory.entries
    assert (entry.module, entry.level, "beware" in entry.message) == ("py.warnings", "WARNING", True)


def test_capture_that_other_code_removed_is_restored(memory: MemoryDestination) -> None:
    """The names of what was removed are returned once; afterwards lines arrive again."""
    own = logging.getLogger("{{cookiecutter.project_slug}}.part")
    assert UnifiedLogger.restore_capture() == []
    logger.remove()
    root = logging.getLogger()
    root.handlers = [handler for handler in root.handlers if not isinstance(handler, StdlibHandler)]
    own.disabled = True
    logger.info("lost")
    own.info("lost")
    removed = ["loguru's sink", "the root logger's handler", "this project's loggers"]
    assert (UnifiedLogger.restore_capture(), UnifiedLogger.restore_capture()) == (removed, [])
    logger.info("from loguru")
    own.info("from stdlib")
    UnifiedLogger.flush()
    assert memory.messages == ["from loguru", "from stdlib"]


CHANGES = {
    "loguru's sink": [logger.remove, lambda: logger.configure(handlers=[])],
    "loguru": [lambda: logger.disable(""), lambda: logger.disable(PACKAGE)],
    "the root logger's handler": [
        lambda: setattr(logging.root, "handlers", []),
        lambda: logging.basicConfig(force=True),
    ],
    "levels of `logging`": [
        lambda: logging.disable(logging.CRITICAL),
        lambda: logging.root.setLevel(logging.CRITICAL),
        lambda: [each.setLevel(logging.CRITICAL) for each in logging.root.handlers if isinstance(each, StdlibHandler)],
        lambda: setattr(logging.root, "disabled", True),
    ],
    "this project's loggers": [lambda: logging.config.dictConfig({"version": 1})],
}
"""What other code may do to logging, by what it removes or disables."""


@pytest.mark.parametrize(("removed", "change"), [(name, each) for name, changes in CHANGES.items() for each in changes])
def test_logging_that_other_code_reconfigures_is_restored(
    memory: MemoryDestination, removed: str, change: Callable[[], object]
) -> None:
    """The quick look notices each change, and afterwards all lines arrive again."""
    own, foreign = logging.getLogger(f"{PACKAGE}.part"), logging.getLogger("asyncio")
    enabled = [each for each in logging.root.manager.loggerDict.values() if not getattr(each, "disabled", True)]
    try:
        change()
        assert not UnifiedLogger.is_capturing()
        assert removed in UnifiedLogger.restore_capture()
        assert UnifiedLogger.is_capturing()
        for each in (own, foreign, logger):
            each.warning("heard")
        UnifiedLogger.flush()
        assert memory.messages == ["heard"] * 3
    finally:
        for each in enabled:
            each.disabled = False


def test_shutting_logging_down_takes_no_line_away(memory: MemoryDestination) -> None:
    """`logging.shutdown()` closes handlers, and ours needs nothing that it could close."""
    logging.shutdown(handlerList=[lambda: UnifiedLogger._capture._handler])
    assert UnifiedLogger.is_capturing()
    logging.getLogger("app").info("heard")
    UnifiedLogger.flush()
    assert memory.messages == ["heard"]


def test_released_capture_takes_no_more_lines() -> None:
    """Capturing twice takes each line once."""
    taken: list[object] = []
    capture = Capture(
        take_loguru=lambda record: taken.append(record["message"]),
        take_stdlib=lambda record: taken.append(record.getMessage()),
        level="INFO",
    )
    capture.install()
    assert capture.install() == []
    logger.info("one")
    logger.debug("too low")
    logging.getLogger("app").info("two")
    assert taken == ["one", "two"]
    capture.release()
    logger.info("three")
    logging.getLogger("app").info("four")
    assert taken == ["one", "two"]


def test_a_handler_without_a_lock_filters_and_never_raises(capsys: pytest.CaptureFixture[str]) -> None:
    """A failing consumer is reported on stderr by the logging module, as for any handler."""
    handler = StdlibHandler(lambda _: 1 / 0)
    record = logging.LogRecord("app", logging.INFO, "", 1, "m", None, None)
    assert handler.handle(record)
    assert "ZeroDivisionError" in capsys.readouterr().err
    handler.addFilter(lambda _: False)
    assert not handler.handle(record)
    assert (handler.lock, capsys.readouterr().err) == (None, "")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("thread", "the thread worker crashed"),
        ("low_level_thread", "Exception ignored in thread started by crash"),
        ("deleted_object", "Exception ignored in Crashing.__del__"),
        ("asyncio_task", "Task exception was never retrieved"),
        ("asyncio_callback", "Exception in callback crash"),
        ("executor_callback", "exception calling callback for <Future"),
    ],
)
def test_a_crash_is_an_error_with_a_traceback(
    own_logging: Callable[[], list[dict[str, Any]]],
    run: Callable[..., subprocess.CompletedProcess[str]],
    kind: str,
    message: str,
) -> None:
    """Python itself would only print it."""
    done = run(program_path("crash"), kind)
    (entry,) = own_logging()
    assert entry["level"] == "ERROR"
    assert entry["message"].startswith(message)
    assert "RuntimeError: it broke" in entry["traceback"]
    assert done.stderr.count("Traceback (most recent call last)") == 1
