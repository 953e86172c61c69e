"""The filter line: the words of the terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.project_slug}}.cli.logs_options import FILTER_FLAGS
from {{cookiecutter.project_slug}}.cli.ui.filter_line import WORDS, filters_of_line
from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.query import LogQuery

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = {"log_type": "tool_execution"}
EVERY_WORD: dict[str, tuple[str, dict[str, Any]]] = {
    "tool": ("echo", {"tool_name": "echo", **CALLS}),
    "client": ("claude-code", {"client_name": "claude-code", **CALLS}),
    "principal": ("svc-42", {"principal": "svc-42", **CALLS}),
    "method": ("tools/call", {"method": "tools/call"}),
    "status": ("error", {"status": "error", **CALLS}),
    "error-type": ("weather.errors.NotFound", {"error_type": "weather.errors.NotFound", **CALLS}),
    "level": ("error", {"level": ("ERROR", "CRITICAL")}),
    "type": ("internal", {"log_type": "internal"}),
    "correlation-id": ("0a1b", {"correlation_id": "0a1b"}),
    "min-ms": ("12.5", {"min_duration_ms": 12.5, **CALLS}),
    "since": ("2026-01-31T12:00Z", {"since": datetime(2026, 1, 31, 12, tzinfo=UTC), **CALLS}),
    "until": ('"2026-01-31 12:00+01:00"', {"until": datetime(2026, 1, 31, 11, tzinfo=UTC), **CALLS}),
    "text": ("timeout", {"text": "timeout", **CALLS}),
    "id": ("3f2a", {"any_id": "3f2a"}),
}
"""A value for each word, and its filters: words that concern more than calls show more than calls."""


def test_every_filter_of_the_terminal_has_its_word() -> None:
    """And there is one more, for ids."""
    assert set(WORDS) == {flag.removeprefix("--") for flag in FILTER_FLAGS.values()} | {"id"} == set(EVERY_WORD)


@pytest.mark.parametrize("word", EVERY_WORD)
def test_a_word_is_a_filter(word: str) -> None:
    """In capitals, too; every destination accepts it."""
    value, expected = EVERY_WORD[word]
    for line in (f"{word}:{value}", f" {word.upper()}:{value} "):
        assert filters_of_line(line) == expected
    LogQuery.of(**expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", CALLS),
        ("  ", CALLS),
        ("timeout", {"text": "timeout", **CALLS}),
        ("two  words", {"text": "two words", **CALLS}),
        ('"two  words"', {"text": "two  words", **CALLS}),
        ('tool:"a b" "c d"', {"tool_name": "a b", "text": "c d", **CALLS}),
        (r'"say \"hi\" \\ there"', {"text": r'say "hi" \ there', **CALLS}),
        ('"open', {"text": "open", **CALLS}),
        ('"', CALLS),
        ('text:a b text:"c d"', {"text": "a b c d", **CALLS}),
        ("a tool:echo b", {"tool_name": "echo", "text": "a b", **CALLS}),
        ("tool:echo tool:echo", {"tool_name": "echo", **CALLS}),
        ('tool:""', {"tool_name": "", **CALLS}),
        ("https://host:8080/x", {"text": "https://host:8080/x", **CALLS}),
        ("12:30:05", {"text": "12:30:05", **CALLS}),
        ("C:\\temp e:\\x", {"text": "C:\\temp e:\\x", **CALLS}),
        ("KeyError: 'a'", {"text": "KeyError: 'a'", **CALLS}),
        ("KeyError:b", {"text": "KeyError:b", **CALLS}),
        ('"since:2h"', {"text": "since:2h", **CALLS}),
        ("text:--limit=1", {"text": "--limit=1", **CALLS}),
        ("tool:--json", {"tool_name": "--json", **CALLS}),
        ("tool:a:b", {"tool_name": "a:b", **CALLS}),
        ("tool:\u00e9\u4e2d", {"tool_name": "\u00e9\u4e2d", **CALLS}),
        ('"a\nb"', {"text": "a\nb", **CALLS}),
        ("type:any", {}),
        ("type:any tool:echo", {"tool_name": "echo"}),
        ("type:tool_execution level:warning", {"level": ("WARNING", "ERROR", "CRITICAL"), **CALLS}),
        ("status:started", {"status": "started"}),
        ("status:unknown_target", {"status": "unknown_target"}),
    ],
)
def test_a_line_is_split_as_people_write_it(line: str, expected: dict[str, Any]) -> None:
    """What has no word is text; quotes hold together; a colon inside a text is one."""
    assert filters_of_line(line) == expected


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "tol:echo",
            "unknown word 'tol'; did you mean tool? To search for it as text, write it in quotes: \"tol:echo\"",
        ),
        ("clients:x", "unknown word 'clients'; did you mean client?"),
        ("error:x", "unknown word 'error'; did you mean error-type?"),
        ("status:err", "status: must be one of success, error, "),
        ("type:calls", "type: must be one of tool_execution, internal, framework, not 'calls'"),
        ("level:loud", "level: must be one of TRACE, "),
        ("method:tools", "did you mean tools/call?"),
        ("since:yesterday", "since: 'yesterday' is neither ISO 8601"),
        ("until:99999999d", "until: '99999999d' is outside the years 1 to 9999"),
        ("min-ms:fast", "min-ms: must be a number of milliseconds, 0 or more, not 'fast'"),
        ("tool:a tool:b", "tool has two values, 'a' and 'b'; only one can match"),
        ("tool:", "tool: needs a value, without a space before it"),
        ("since: 2h", "since: needs a value"),
    ],
)
def test_a_mistake_is_named(line: str, sentence: str) -> None:
    """The sentence has the word and its value."""
    with pytest.raises(SettingError) as raised:
        filters_of_line(line)
    assert sentence in str(raised.value)


def test_an_age_counts_from_now() -> None:
    """As on the terminal."""
    since = filters_of_line("since:2h")["since"]
    assert abs(datetime.now(UTC) - timedelta(hours=2) - since) < timedelta(minutes=1)


def test_a_time_without_a_zone_is_local(set_zone: Callable[[str], None]) -> None:
    """As on the terminal."""
    set_zone("CET-1CEST")
    filters = filters_of_line("since:2026-01-31T12:00 until:2026-07-31")
    assert filters["since"] == datetime(2026, 1, 31, 11, tzinfo=UTC)
    assert filters["until"] == datetime(2026, 7, 30, 22, tzinfo=UTC)
