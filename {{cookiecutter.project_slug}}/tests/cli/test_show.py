"""`logs show`: one request in full."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.find_request import Request
from {{cookiecutter.project_slug}}.cli.output import Terminal
from {{cookiecutter.project_slug}}.cli.show import Page
from {{cookiecutter.project_slug}}.cli.times import Clock

from .cli_helpers import ENTRIES, NARROW, NOON, PIPE, REASON, make_call, make_failure, make_start

if TYPE_CHECKING:
    from collections.abc import Callable

TRACEBACK = f'Traceback (most recent call last):\n  File "tools.py", line 3, in divide\nZeroDivisionError: {REASON}\n'
ARGUMENTS = '  {\n    "a": 1,\n    "b": 0\n  }'
CALL = make_failure(
    timestamp=NOON,
    entry_id="e" * 32,
    correlation_id="order-1",
    input_args={"a": 1, "b": 0},
    input_size=13,
    client_name="desktop",
    client_version="1.2",
    client_address="192.0.2.7",
    principal="ada",
    transport="stdio",
    server_name="weather",
    hostname="host",
    traceback=TRACEBACK,
)
LINE = make_entry("dividing 1", timestamp=NOON + timedelta(milliseconds=12), module="tools", line=2)
INNER = make_call("inner", timestamp=NOON + timedelta(milliseconds=5), input_args={"x": "y"})


def page(request: Request, terminal: Terminal = NARROW) -> str:
    """Return a request as text."""
    return "\n".join(Page(request, terminal=terminal, clock=Clock(is_utc=True)).lines())


def test_show_tells_who_when_what_and_why() -> None:
    """The whole call in order: facts, arguments, lines with their offsets, and the traceback."""
    assert page(Request(call=CALL, entries=[INNER, LINE])) == (
        f"""divide: error in 12 ms
  {REASON}
  (ZeroDivisionError)

time         2026-01-31 12:00:00.000 UTC
request      tools/call
client       desktop 1.2 from 192.0.2.7
principal    ada
server       weather over stdio
process      on host
id           {"e" * 32}
correlation  order-1

arguments (13 B)
{ARGUMENTS}

log
  +0.005 s  success   inner  12 ms  x="y"
  +0.012 s  INFO      dividing 1  tools:2

traceback
  Traceback (most recent call last):
    File "tools.py", line 3, in divide
  ZeroDivisionError: {REASON}"""
    )


def test_show_tells_what_a_call_returned() -> None:
    """With the size before anything was cut."""
    assert page(Request(call=make_call(output_summary="3\n4", output_size=40))).endswith("\n\nresult (40 B)\n  3\n  4")
    assert page(Request(call=make_call(output_summary="", output_size=40))).endswith("\n\nresult (40 B, empty)")


def test_what_was_not_recorded_is_said_to_be_so() -> None:
    """LOG_ARGUMENTS and LOG_RESULTS keep contents out, but not sizes."""
    text = page(Request(call=make_call(input_size=13, output_size=40)))
    assert text.endswith("\n\narguments (13 B, not recorded)\n\nresult (40 B, not recorded)")


def test_a_traceback_of_the_first_schema_is_shown() -> None:
    """There it is in the extra data, and mostly of a line of the SDK."""
    line = make_entry("failed", timestamp=NOON, level="ERROR", extra_data={"traceback": TRACEBACK, "who": "ada"})
    text = page(Request(call=make_failure(timestamp=NOON), entries=[line]))
    assert '  +0.000 s  ERROR     failed  who="ada"\n              Traceback (most recent call last):\n' in text
    assert text.count("Traceback") == 1


def test_a_traceback_is_shown_once() -> None:
    """A call that fails inside another has the same one."""
    text = page(Request(call=CALL, entries=[make_failure("inner", traceback=TRACEBACK)]))
    assert text.count("Traceback") == 1


def test_a_call_that_never_ended_is_shown_as_such() -> None:
    """Without a duration; the id of the end that never came is no data."""
    text = page(Request(call=make_start(make_call("hang", timestamp=NOON))))
    assert text.startswith("hang: unfinished\n\ntime ")
    assert "extra data" not in text


def test_a_line_is_shown_with_all_that_it_has() -> None:
    """Also outside any request."""
    text = page(Request(call=make_entry("late", level="WARNING", module="tools", line=7, extra_data={"who": "ada"})))
    assert text.startswith("WARNING  late\n")
    assert "\nplace        tools:7\n" in text
    assert text.endswith('\n\nextra data\n  {\n    "who": "ada"\n  }')


def test_a_call_inside_another_names_it() -> None:
    """So that the whole can be shown next."""
    assert f"\npart of      divide, id {CALL.entry_id}\n" in page(Request(call=INNER, outer=CALL))


def test_foreign_text_cannot_control_the_terminal() -> None:
    """Wherever it comes from."""
    evil = "\x1b[2J\u202e"
    fields = ("tool_name", "status", "client_name", "principal", "error_type", "error_message", "traceback", "hostname")
    call = make_call(
        **dict.fromkeys((*fields, "output_summary"), evil), input_args={evil: evil}, extra_data={evil: evil}
    )
    line = make_entry(evil, level=evil, module=evil, error_message=evil, traceback=evil, extra_data={evil: evil})
    text = page(Request(call=call, entries=[line, call], outer=call))
    assert text.replace("\n", "").isprintable()
    assert text.count("[2J") > 20


def test_titles_are_bold_and_failures_red_on_a_terminal_with_colours() -> None:
    """In a pipe, times are ISO 8601 in UTC."""
    text = page(Request(call=CALL), Terminal(width=80, has_colour=True))
    assert text.startswith("\x1b[1mdivide\x1b[0m: \x1b[31merror in 12 ms\x1b[0m\n")
    assert "\ntime         2026-01-31T12:00:00.000000+00:00\n" in page(Request(call=CALL), PIPE)


def test_show_prints_a_request_or_its_entries_as_json(
    recorded: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Oldest first."""
    recorded(CALL)
    assert main(["logs", "show", "order-1"]) == 0
    assert capsys.readouterr().out.startswith("divide: error in 12 ms\n")
    assert main(["logs", "show", ENTRIES[1].entry_id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == ENTRIES[1].to_dict()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "show",
            (
                "logs show needs an id (the first or last characters of an entry id or correlation id), or last, "
                "or last-error\n"
            ),
        ),
        ("show x", "No entry id or correlation id in jsonl begins or ends with 'x'.\n"),
        ("show c-1 --tool add", "logs show does not support --tool with an id; use it with last or last-error\n"),
        ("show last --tool x", "There is no call in jsonl that matches.\n"),
        ("show c-", "2 entries have an id that begins or ends with 'c-':\n  "),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_sentence(
    recorded: object, words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and nothing is printed to stdout."""
    assert main(["logs", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)


def test_last_error_shows_the_newest_failure(recorded: object, capsys: pytest.CaptureFixture[str]) -> None:
    """Options narrow it."""
    assert main(["logs", "show", "last-error", "--client", "desktop"]) == 0
    assert "100% wrong" in capsys.readouterr().out
