"""`logs list`: entries as rows for a terminal, a pipe or a program."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.listing import Listing
from {{cookiecutter.project_slug}}.cli.output import Terminal, width_of
from {{cookiecutter.project_slug}}.cli.times import Clock
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.logging.entry import iso_utc

from .cli_helpers import ENTRIES, NARROW, NOON, PIPE, REASON, WIDE, ago, make_call, make_failure, make_start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry


def shown(*entries: LogEntry, terminal: Terminal = NARROW) -> list[str]:
    """Return entries as lines."""
    return "".join(Listing(terminal, Clock(is_utc=True), known=entries).lines(entries)).splitlines()


def test_eighty_columns_show_tool_duration_and_reason_of_a_failure_on_one_line() -> None:
    """The date is a line of its own; the id is the end of the entry's id; the reason comes before the arguments."""
    failure = make_failure(timestamp=NOON, entry_id="0" * 24 + "1b32b4af")
    head, day, line = shown(failure)
    assert head == "time      id        status  tool     took  details"
    assert day == "2026-01-31, UTC"
    assert line == f"12:00:00  1b32b4af  error   divide  12 ms  {REASON} (ZeroDivisionError)\u2026"


@pytest.mark.parametrize("status", ["error", "validation_error", "unknown_tool", "cancelled"])
def test_a_long_tool_name_leaves_room_for_the_reason(status: str) -> None:
    """The longest status does, too."""
    line = shown(make_failure("a_tool_with_a_name_that_is_far_too_long", status=status))[-1]
    assert len(line) == 80
    assert "a_tool_with_" in line
    assert "  12 ms  division by" in line


def test_the_date_is_shown_where_it_changes() -> None:
    """The zone is part of it, because daylight saving time changes it, too."""
    days = [
        line for line in shown(*(make_call(timestamp=NOON - timedelta(hours=5 * n)) for n in range(4))) if "UTC" in line
    ]
    assert days == ["2026-01-31, UTC", "2026-01-30, UTC"]


def test_a_wide_terminal_shows_more() -> None:
    """Milliseconds, the client, the principal and the correlation id."""
    who = {"client_name": "desktop", "principal": "ada", "correlation_id": "0" * 24 + "12345678"}
    call = make_call(timestamp=NOON, input_args={"a": 1}, **who)
    head, _, line = shown(call, terminal=WIDE)
    columns = ["time", "id", "status", "tool", "took", "client", "principal", "correlation", "details"]
    assert head.split() == columns
    assert "12:00:00.000" in line
    assert all(f"  {text}  " in line for text in ("desktop", "ada", "12345678"))


def test_a_column_without_any_value_is_left_out() -> None:
    """Most servers know no principal."""
    assert "principal" not in shown(make_call(client_name="desktop"), terminal=WIDE)[0]


def test_a_log_line_shows_its_level_and_message() -> None:
    """And the tool that logged it."""
    line = shown(make_entry("half done", level="WARNING", tool_name="add"))[-1]
    assert line[20:] == "WARNING  add         half done"


def test_a_resource_is_shown_by_its_uri() -> None:
    """So is a prompt by its name."""
    read = make_call(tool_name=None, log_type="framework", method="resources/read", target="manual://index")
    assert "  manual://index  12 ms" in shown(read)[-1]
    prompt = make_call(tool_name=None, log_type="framework", method="prompts/get", target="greet")
    assert "  greet         12 ms" in shown(prompt)[-1] or "  greet  12 ms" in shown(prompt)[-1]


def test_a_validation_error_begins_with_what_is_wrong() -> None:
    """The first line of pydantic's text only counts the errors."""
    problem = "a\n  Input should be a number [type=x]\n    For further information visit http"
    text = f"1 validation error for addArguments\n{problem}"
    line = shown(make_failure("add", status="validation_error", error_message=text, error_type="V"))[-1]
    assert line.endswith("  a: Input should be a number \u2026")
    assert text.replace("\n", "\\n") in shown(make_failure(error_message=text), terminal=PIPE)[-1]


def test_the_class_of_an_exception_has_its_module_only_in_a_pipe() -> None:
    """The class is what a person looks for; `--error-type` needs both, and suggests them."""
    failure = make_failure(error_type="package.errors.NotFound", error_message="no\n  such  page")
    assert "no such page (NotFound)" in shown(failure)[-1]
    assert "no\\n  such  page (package.errors.NotFound)" in shown(failure, terminal=PIPE)[-1]


def test_the_result_of_a_success_follows_its_arguments() -> None:
    """A failure has none."""
    assert shown(make_call(input_args={"a": 1, "b": "x\n"}, output_summary="3"))[-1].endswith('  a=1 b="x\\n"  -> 3')
    assert "->" not in shown(make_failure(error_message="no", output_summary="no"))[-1]


def test_a_terminal_shows_results_and_messages_on_one_line() -> None:
    """A pipe shows them as they were recorded, with their line breaks escaped."""
    call = make_call(output_summary="{\n  3\n}")
    line = make_entry("from\n  a library")
    assert [text.rpartition("  ")[2] for text in shown(call)[-1:]] == ["-> { 3 }"]
    assert shown(line)[-1].endswith("  from a library")
    assert shown(call, terminal=PIPE)[-1].endswith("-> {\\n  3\\n}")
    assert shown(line, terminal=PIPE)[-1].endswith("  from\\n  a library")


def test_columns_stay_aligned_with_wide_characters() -> None:
    """No line is wider than the terminal."""
    tools = ("\u5929\u6c17\u4e88\u5831", "add")
    lines = shown(*(make_call(tool, input_args={"text": "\u5929" * 50}) for tool in tools))[2:]
    assert [width_of(line.partition(" ms")[0]) for line in lines] == [41, 41]
    assert max(map(width_of, lines)) <= 80


def test_a_pipe_gets_every_column_whole() -> None:
    """Times are ISO 8601 in UTC, empty cells a dash, and nothing is truncated or coloured."""
    failure = make_failure("a" * 100, timestamp=NOON, input_args={"text": "long " * 100}, error_message="why " * 100)
    head, *lines = shown(failure, ENTRIES[3], terminal=PIPE)
    columns = ["timestamp", "entry_id", "level", "status", "tool", "duration_ms", "client", "principal"]
    assert head.split() == [*columns, "correlation_id", "details"]
    assert lines[0].split()[:9] == [
        iso_utc(NOON), failure.entry_id, "ERROR", "error", "a" * 100, "12.000", "-", "-", "c-1"
    ]  # fmt: skip
    assert lines[0].endswith(f'  {"why " * 100} (ZeroDivisionError)  text="{"long " * 100}"')
    assert lines[1].split()[3:9] == ["-", "-", "-", "-", "-", "c-1"]
    assert lines[1].endswith("  from\\na library\\x1b[2J")


def test_failures_are_red_and_warnings_yellow_on_a_terminal_with_colours() -> None:
    """The text is the same without the sequences."""
    entries = make_failure(), make_entry(level="WARNING"), make_call()
    coloured = shown(*entries, terminal=Terminal(width=80, has_colour=True))
    lines = coloured[-3:]
    assert ["\x1b[31merror\x1b[0m" in lines[0], "\x1b[33mWARNING\x1b[0m" in lines[1]] == [True, True]
    assert "\x1b[3" not in lines[2]
    assert [re.sub(r"\x1b\[\d*m", "", line) for line in coloured] == shown(*entries)


def test_a_call_without_an_end_is_shown_as_started_in_a_pipe(
    record: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """That is the recorded status; the start of a call that ended is not shown."""
    ended, lost, young = make_call("ended"), make_call("lost", timestamp=ago(minutes=5)), make_call("young")
    record(ended, *map(make_start, (ended, lost, young)))
    assert main(["logs"]) == 0
    rows = [line.split("  ") for line in capsys.readouterr().out.splitlines()[1:]]
    shown = {tuple(cell.strip() for cell in row if cell)[3:5] for row in rows}
    assert shown == {("success", "ended"), ("started", "lost"), ("started", "young")}
    assert len(rows) == 3


def test_the_command_fits_its_output_to_the_terminal(
    recorded: object, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """No line is longer than the terminal is wide."""
    termios = pytest.importorskip("termios")
    import pty

    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, 60))
    env = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | {"NO_COLOR": "1"}
    process = start("-m", PACKAGE, "logs", stdout=writer, env=env)
    os.close(writer)
    text = b""
    while True:
        try:
            chunk = os.read(reader, 65_536)
        except OSError:  # how Linux reports that the other end is closed
            break
        if not chunk:
            break
        text += chunk
    os.close(reader)
    assert process.wait() == 0
    lines = text.decode().splitlines()
    assert lines[0].split() == ["time", "id", "status", "tool", "took", "details"]
    assert max(map(len, lines)) <= 60
    assert "100% wrong" in text.decode()
