"""Entries are clean, bounded, and record the time and place of the event."""

from __future__ import annotations

import logging
import os
import threading
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn

import orjson
import pytest
from loguru import logger

from {{cookiecutter.project_slug}}.logging.entries import OVERLAP, EntryFactory
from {{cookiecutter.project_slug}}.logging.json_safe import encode_json
from {{cookiecutter.project_slug}}.logging.redaction import REDACTED, Redactor
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from fake_destinations import MemoryDestination


FIRST = datetime.min.replace(tzinfo=UTC)


def test_names_that_clients_choose_do_not_fill_the_memory() -> None:
    """Only a limited number of short names and keys is cached; a key may be a secret itself."""
    entries = EntryFactory()
    tracemalloc.start()
    for number in range(5_000):
        text = f"n{number}" + "x" * (number % 2 * 10_000)
        assert (entries.name(text)[:2], len(entries.payload({text: 1, "a": [text]}))) == (text[:2], 2)
    assert tracemalloc.get_traced_memory()[0] < 8_000_000
    tracemalloc.stop()
    assert entries.payload({"AKIAHUNTER2HUNTER2AB": 1}) == {REDACTED: 1}


KEY_TEXT = "-----BEGIN RSA PRIVATE KEY-----\nMIIhunter2\n-----END RSA PRIVATE KEY-----"


def test_truncation_leaves_no_half_of_a_secret() -> None:
    """Also if redacting other secrets before it made the text shorter."""
    entries, address = EntryFactory(max_text=100), " scheme://user:hunter2hunter2hunter2@host/db"
    keys = KEY_TEXT.replace("hunter2", "M" * 2_000) * 2
    for text in ("x" * 75 + address, keys + "x " * ((OVERLAP + 75 - len(keys)) // 2) + address + "x" * 9_000):
        for value in (text, [text], {text: 1}, ["x" * 90] * 4 + [text]):
            assert "hunter2" not in encode_json(entries.payload({"a": value}))
            assert "truncated" in encode_json(entries.payload({"a": value}))


def test_a_redaction_that_fails_drops_the_payload_and_keeps_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing text is better than one with a secret."""
    monkeypatch.setattr(Redactor, "suspects", lambda *_: 1 / 0)
    monkeypatch.setattr(Redactor, "text", lambda *_: 1 / 0)
    entries = EntryFactory()
    assert entries.text("password=hunter2") == "[dropped: redaction failed]"
    assert entries.payload({"password": "hunter2"}) == {"payload": "[dropped: redaction failed]"}
    assert "hunter2" not in entries.error_text(ValueError("password=hunter2"))


def test_an_entry_records_where_and_when_it_was_logged(memory: MemoryDestination) -> None:
    """The module, function, line and thread of the caller, and the time in UTC."""
    before = datetime.now(UTC)
    logger.warning("from loguru", answer=42)
    logging.getLogger("app.part").warning("from stdlib", extra={"answer": 42})
    assert UnifiedLogger.flush()
    for entry in memory.entries:
        assert entry.function == "test_an_entry_records_where_and_when_it_was_logged"
        assert entry.timestamp.tzinfo is UTC
        assert before <= entry.timestamp <= datetime.now(UTC)
        assert (entry.extra_data, entry.thread_name, entry.log_type) == ({"answer": 42}, "MainThread", "internal")
    first, second = memory.entries
    assert (second.line, second.module, len(second.entry_id)) == (first.line + 1, "app.part", 32)


def test_names_of_threads_and_modules_are_valid_unicode() -> None:
    """The operating system may provide names in any bytes."""
    entries, made, odd = EntryFactory(), [], os.fsdecode(b"job-\xff\0")

    def make() -> None:
        record = logging.LogRecord(odd, logging.INFO, "", 1, "m", None, None, func=odd)
        made.append(entries.from_stdlib(record))

    thread = threading.Thread(target=make, name=odd)
    thread.start()
    thread.join()
    (line,) = (orjson.loads(orjson.dumps(entry.to_dict())) for entry in made)
    assert {line["thread_name"], line["module"], line["function"]} == {"job-\\udcff\\x00"}


def _log_in(value: str) -> NoReturn:
    message = f"login failed: {value and 'password'}={'hunter'}2"
    raise ValueError(message)


def test_a_traceback_is_kept_without_its_secrets(memory: MemoryDestination) -> None:
    """An entry has the exception's text, class and traceback, but no values of variables."""
    variable = "swordfish"
    for log in (logger.exception, logging.getLogger("app").exception):
        try:
            _log_in(variable)
        except ValueError:
            log("it broke")
    assert UnifiedLogger.flush()
    for entry in memory.entries:
        shown = encode_json(entry.to_dict())
        assert "test_a_traceback_is_kept" in entry.traceback
        assert (entry.error_type, entry.level, entry.error_message) == (
            "ValueError",
            "ERROR",
            "login failed: password=[redacted]",
        )
        assert not any(secret in shown for secret in ("hunter2", "swordfish"))


def test_a_traceback_without_a_readable_exception_is_redacted_too() -> None:
    """If the notes of an exception raise, only its frames are shown, and their lines may contain a secret."""
    mute = type("Mute", (Exception,), {"__notes__": property(lambda _: 1 / 0)})
    with pytest.raises(mute) as caught:
        raise mute(str({"password": "hunter2"}))
    record = logging.LogRecord("app", logging.ERROR, "", 1, "m", None, (mute, caught.value, caught.tb))
    shown = encode_json(EntryFactory().from_stdlib(record).traceback)
    assert ("in test_a_traceback" in shown, "hunter2" in shown) == (True, False)


@pytest.mark.parametrize("created", [1e18, float("nan"), float("-inf"), "yesterday"])
def test_a_record_whose_time_does_not_exist_gets_the_current_one(memory: MemoryDestination, created: object) -> None:
    """Code can set the time of a record to anything; the line is not lost."""
    record = logging.LogRecord("app", logging.INFO, "", 1, "odd", None, None)
    record.created = created  # type: ignore[assignment]
    before = datetime.now(UTC)
    logging.getLogger("app").handle(record)
    assert UnifiedLogger.flush()
    (entry,) = memory.entries
    assert entry.message == "odd"
    assert before <= entry.timestamp <= datetime.now(UTC)


@pytest.mark.parametrize("value", [None, 1.5, "yesterday", FIRST, FIRST.replace(tzinfo=None)])
def test_a_patched_record_is_not_lost(memory: MemoryDestination, value: object) -> None:
    """Patchers of loguru can set the time of a record to anything, too."""
    logger.patch(lambda record: record.update(time=value)).info("odd")  # type: ignore[call-arg, typeddict-item]
    assert UnifiedLogger.flush()
    (entry,) = memory.entries
    assert entry.message == "odd"
    assert entry.timestamp.tzinfo is UTC


def test_the_end_of_a_long_traceback_is_kept() -> None:
    """It has the line that failed and the reason; what is cut off is noted, and secrets are redacted."""

    def even(depth: int) -> None:
        if depth:
            odd(depth - 1)
        msg = "password=hunter2 at the end"
        raise ValueError(msg)

    def odd(depth: int) -> None:  # equal frames would be shown once
        even(depth - 1)

    with pytest.raises(ValueError, match="at the end") as caught:
        even(200)
    text = EntryFactory(max_text=1_000).traceback(caught.value)
    assert text.startswith("[truncated, ")
    assert text.rstrip().endswith("ValueError: password=[redacted] at the end")
    assert "raise ValueError(msg)" in text
    assert len(text) < 1_100
