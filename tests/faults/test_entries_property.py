"""Entries are made of anything, without an exception and without a secret: 10,000 examples each.

FAULTS_EXAMPLES changes how many.
"""

from __future__ import annotations

import importlib
import logging
import math
import os
import re
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from .strategies import (
    FURTHER_KEYS,
    HALF,
    MARK,
    TRAPS,
    arguments,
    cut_values,
    key_names,
    real,
    repeated,
    scalars,
    secret_values,
    straddling_texts,
    telling_texts,
    texts,
)

if TYPE_CHECKING:
    from tests.support.project import Project

EXAMPLES = int(os.environ.get("FAULTS_EXAMPLES", "10000"))
MAX_TEXT = 400
"""Characters an entry keeps of a text here, so that what is cut is met often."""
CHARACTERS_LIMIT = 40 * MAX_TEXT
STALL = 0.05
"""Seconds that the making of an entry may take: event-loop lag has the same limit."""

LENGTH = 1_000
"""Characters of a short text; a long one has eight times as many."""
TOLERANCE = 3
ATTEMPTS = 8
"""The machine does other things as well: a text is judged by the fastest of so many."""

many = settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.fixture(scope="session")
def package(project: Project) -> SimpleNamespace:
    """The modules of the baked package that make entries; they need only orjson and pydantic."""
    sys.path.insert(0, str(project.source / "src"))
    try:
        names = ("entries", "redaction", "redaction.tables", "destinations.base", "destinations.console")
        modules = [importlib.import_module(f"my_mcp_server.logging.{name}") for name in names]
    finally:
        sys.path.remove(str(project.source / "src"))
    entries, redaction, secrets, base, console = modules
    return SimpleNamespace(
        factory=entries.EntryFactory(max_text=MAX_TEXT, redact_keys=FURTHER_KEYS), slack=entries.OVERLAP,
        redactor=redaction.Redactor(FURTHER_KEYS), entry=base.LogEntry, console=console,
        rows=(*secrets.ISSUED_KEYS, *secrets.PLACES, *secrets.KEY_WORDS),
    )  # fmt: skip


def tool_call(package: SimpleNamespace, name: str, given_: dict[str, Any], output: str, error: Exception) -> Any:
    """Return the entry of a tool call, made as the server makes it."""
    factory = package.factory
    entry = factory.new("tool_execution", "ERROR", datetime.now(UTC), f"{factory.name(name)}: error in 1.0 ms")
    entry.tool_name = factory.name(name)
    entry.input_args = factory.payload(given_)
    entry.output_summary = factory.text(output, limit=1_000)
    entry.error_message = factory.error_text(error)
    return entry


def line(package: SimpleNamespace, message: object, extra: dict[str, Any], error: Exception) -> Any:
    """Return the entry of a standard library line with an exception and its traceback."""
    with suppress(Exception):
        _raise(error)
    info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("application", logging.ERROR, __file__, 1, message, None, info)
    record.__dict__.update({f"extra_{number}": value for number, value in enumerate(extra.values())})
    return package.factory.from_stdlib(record)


def _raise(error: Exception) -> None:
    """Give an exception a traceback."""
    raise error


def shown(package: SimpleNamespace, entry: Any) -> str:
    """Return everything a destination can get from an entry; it is JSON, and reads back."""
    encoded = orjson.dumps(entry.to_dict()).decode()
    assert package.entry.from_dict(orjson.loads(encoded)).entry_id == entry.entry_id
    text: str = package.console.as_text(entry)
    assert text.count("\n") == 1 + text.count("\n    | ")
    assert all(char.isprintable() or char == "\n" for char in text)
    return f"{encoded}{text}{package.console.as_json(entry)}"


@many
@given(text=texts, given_=arguments, message=scalars)
def test_an_entry_is_made_of_anything(
    package: SimpleNamespace, text: str, given_: dict[str, Any], message: object
) -> None:
    """No exception, valid JSON of a bounded size, one printable line, whatever the values are."""
    made = real(given_)
    for entry in (
        tool_call(package, text, made, text, ValueError(text)),
        line(package, real(message), made, KeyError(text)),
    ):
        result = shown(package, entry)
        assert "\x00" not in result
        assert len(result) <= CHARACTERS_LIMIT * 6


@many
@given(value=secret_values(), text=telling_texts())
def test_no_secret_is_in_an_entry(package: SimpleNamespace, value: Any, text: str) -> None:
    """By key and by shape, in arguments, output, messages, errors, tracebacks and extras."""
    for entry in (
        tool_call(package, "tool", value if isinstance(value, dict) else {"v": value}, text, ValueError(text)),
        line(package, text, {"extra": value}, RuntimeError(text)),
    ):
        assert MARK not in shown(package, entry)


@settings(many, max_examples=EXAMPLES // 10)
@given(data=st.data(), share=st.sampled_from([0, 1]))
def test_no_half_of_a_secret_is_shown_where_a_text_is_cut(package: SimpleNamespace, data: Any, share: int) -> None:
    """Neither where an entry's text ends nor where redaction ceases to look, at the top and inside of values."""
    text = data.draw(straddling_texts(MAX_TEXT + share * package.slack))
    factory = package.factory
    assert HALF not in factory.text(text, limit=MAX_TEXT)
    for value in ([text], [text] * 9, ["x" * 300] * 5 + [text], {text: 1}, {"a": {"b": ("x", text)}}):
        assert HALF not in str(factory.payload({"a": value}))


@many
@given(text=cut_values())
def test_no_half_of_a_secret_is_shown_where_pydantic_cut_a_value(package: SimpleNamespace, text: str) -> None:
    """It cuts in the middle: a key may have lost its end, and what is left of its value stands alone."""
    error = ValueError(text)
    entry = line(package, text, {"extra": {"errors": [text]}}, error)
    assert HALF not in package.factory.error_text(error)
    assert HALF not in shown(package, entry)


@many
@given(key=key_names)
def test_a_key_that_is_secret_is_found_wherever_it_stands(package: SimpleNamespace, key: str) -> None:
    """The cheap search that decides whether a value is looked through errs towards yes only."""
    if package.redactor.is_secret(key):
        for value in ({key: MARK}, {"a": {key: MARK}}, {"a": [{"b": 1, key: [MARK]}]}):
            assert MARK not in str(package.factory.payload(value))


@pytest.mark.alone
@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("end", ["", "token", "@", "]"])
def test_no_text_makes_redaction_slow(project: Project, package: SimpleNamespace, trap: str, end: str) -> None:
    """The patterns have no text on which they are quadratic: the longest one that is looked at takes milliseconds."""
    factory = type(package.factory)()
    text = (trap * 14_000)[:14_000] + end
    taken = []
    for _ in range(3):
        begin = time.perf_counter()
        factory.text(text)
        taken.append(time.perf_counter() - begin)
    assert min(taken) <= STALL, f"{min(taken) * 1000:.0f} ms"


@pytest.mark.alone
@many
@given(parts=repeated)
@example(parts=("token\n", " ", ""))
@example(parts=("| key | token |\n", f"|{' ' * 40}", "\n"))
@example(parts=("authorization:", "\r", ""))
@example(parts=("cookie:", " ", "["))
@example(parts=("token: ", "--.", ""))
@example(parts=("", "token=[]", ""))
@example(parts=("ssn. = _", "ghp_", "ghp_"))
def test_redaction_takes_eight_times_as_long_for_a_text_of_eight_times_the_length(
    package: SimpleNamespace, parts: tuple[str, str, str]
) -> None:
    """Not 64 times: whatever is repeated, and whatever stands around it."""
    check_linear_time(package, *parts)


@pytest.mark.alone
def test_redaction_takes_linear_time_for_every_row_of_its_tables(package: SimpleNamespace) -> None:
    """For its example and for the beginning of it, again and again."""
    for row in package.rows:
        example = re.sub(r"\{[a-z](\d+)\}", lambda match: "a1B" * (int(match[1]) // 3 + 1), row.example)
        for again in (example, f"{example} ", row.example.partition("{")[0] or example[:8], f"{row.survives}, "):
            check_linear_time(package, "token ", again, "")


def check_linear_time(package: SimpleNamespace, before: str, again: str, after: str) -> None:
    """Fail if a text of eight times the length takes 64 times as long."""
    short, long = (before + again * (length // len(again)) + after for length in (LENGTH, 8 * LENGTH))
    taken = [math.inf, math.inf]
    for _ in range(ATTEMPTS):
        taken = [min(best, seconds(package, text)) for best, text in zip(taken, (short, long), strict=True)]
        if taken[1] <= 8 * TOLERANCE * taken[0]:
            return
    pytest.fail(f"{again!r}: {taken[1] / taken[0]:.0f} times as long, {taken[1] * 1000:.1f} ms")


def seconds(package: SimpleNamespace, text: str) -> float:
    """Return the CPU time that it takes to take a text's secrets out."""
    begin = time.thread_time()
    package.redactor.text(text)
    return time.thread_time() - begin
