"""stdout belongs to the protocol: everything else that is printed goes to stderr."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import pytest
from helpers import PATIENCE, PROGRAMS, program_path

from {{cookiecutter.project_slug}}.server.stdio import LINE_LENGTH, PrintedLines

from .server_helpers import HELLO, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .server_helpers import Entries, Start

SERVE_CHILDREN = [program_path("serve_with_tools"), str(PROGRAMS / "tools" / "starting_children")]


def test_printing_tools_and_an_unread_stderr_do_not_disturb_the_protocol(
    own_logging: Entries, serve_arguments: list[str], start: Start
) -> None:
    """Tools print when they are imported and called; more than the 64 KB of a pipe are written to stderr."""
    process = start(*serve_arguments)
    assert request(process, 0, "initialize", **HELLO)["serverInfo"]["name"]
    for number in range(1, 501):
        result = request(process, number, "tools/call", name="say", arguments={"text": "x" * 400})
        assert result["content"][0]["text"] == "x" * 400
    process.stdin.close()
    assert (process.wait(3), process.stdout.read()) == (0, "")
    assert len([entry for entry in own_logging() if entry["log_type"] == "tool_execution"]) == 500


def test_what_child_processes_print_does_not_disturb_the_protocol(own_logging: Entries, start: Start) -> None:
    """Neither at import nor later; the programs that a tool module starts find an empty stdin."""
    process = start("-W", "ignore", *SERVE_CHILDREN)
    assert request(process, 0, "initialize", **HELLO)["serverInfo"]["name"]
    request(process, 1, "tools/call", name="print_in_children", arguments={})
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (0, "")
    shown = ("a program at import", "a forked child at import", "a program at register", "a program in a tool")
    assert all(text in err for text in shown)


@pytest.mark.parametrize(("words", "printed"), [(["call", "print_in_children"], "printed\n"), (["doctor"], "ok    ")])
def test_what_child_processes_print_does_not_disturb_a_result(
    own_logging: Entries, run: Callable[..., Any], words: list[str], printed: str
) -> None:
    """It is shown on stderr."""
    done = run("-W", "ignore", *SERVE_CHILDREN, *words)
    assert done.returncode == 0
    assert done.stdout.startswith(printed)
    assert not any(text in done.stdout for text in ("a program", "a forked child"))
    assert all(text in done.stderr for text in ("a program at import", "a forked child at register"))


def test_printed_text_and_log_lines_are_shown_on_stderr(
    own_logging: Entries, serve_arguments: list[str], start: Start
) -> None:
    """No text is lost, and none is written to stdout."""
    process = start(*serve_arguments)
    request(process, 0, "initialize", **HELLO)
    request(process, 1, "tools/call", name="say", arguments={"text": "aloud"})
    out, err = process.communicate(timeout=5)
    assert out == ""
    assert all(text in err for text in ("printed at import", "printed by a tool", "said aloud", "say: success in"))


def test_an_unfinished_line_is_shown_when_it_is_flushed() -> None:
    """The unfinished lines of all threads are shown when the stream closes."""
    shown = list[str]()
    stream = PrintedLines(shown.append, sys.stderr)
    print("50 %", end="", file=stream, flush=True)
    assert shown == ["50 %"]
    asyncio.run(asyncio.to_thread(stream.write, "rest"))
    del stream
    assert shown == ["50 %", "rest"]


def test_a_line_without_an_end_is_shown_in_parts() -> None:
    """Its memory is bounded."""
    shown = list[str]()
    stream = PrintedLines(shown.append, sys.stderr)
    stream.write("x" * (LINE_LENGTH + 1))
    stream.write("y\nz\n")
    assert shown == ["x" * (LINE_LENGTH + 1), "y", "z"]
