"""A child that a tool forks is not the server."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
from helpers import PATIENCE, PROGRAMS, program_path

from {{cookiecutter.project_slug}}.server.forks import end_child, exit_code_of

from .server_helpers import HELLO, request

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from .server_helpers import Entries, Start

SERVE = [program_path("serve_with_tools"), str(PROGRAMS / "tools" / "starting_children")]
KEYBOARD_INTERRUPT = 99
"""The exit code of a child whose sleep was interrupted by an exception."""


@pytest.mark.parametrize("tool", ["signal_child", "signal_child_of_loop"])
def test_a_signal_to_a_forked_child_ends_the_child_alone(own_logging: Entries, start: Start, tool: str) -> None:
    """A child has the signal handlers from before the server's start, even if the signal comes during the fork."""
    process = start("-W", "ignore", *SERVE)
    request(process, 0, "initialize", **HELLO)
    for number in (signal.SIGTERM, signal.SIGHUP):
        assert _call(process, tool, number=number, ready=True) == -number
        assert _call(process, tool, number=number, ready=False) == -number
    assert _call(process, tool, number=signal.SIGINT, ready=True) == KEYBOARD_INTERRUPT
    assert _call(process, tool, number=signal.SIGINT, ready=False) in {-signal.SIGINT, KEYBOARD_INTERRUPT}
    assert _call(process, "pool") == [1, 2, 3]
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


@pytest.mark.parametrize("tool", ["leave_in_child", "leave_in_child_of_loop", "leave_in_child_of_executor"])
def test_a_forked_child_that_leaves_its_tool_ends(own_logging: Entries, start: Start, tool: str) -> None:
    """Each request is answered and recorded once, by the parent; an error in the child is logged."""
    process = start("-W", "ignore", *SERVE)
    request(process, 0, "initialize", **HELLO)
    for how, code in (("return", 0), ("exit", 3), ("raise", 1)):
        assert _call(process, tool, how=how) == code
    out, _ = process.communicate(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping"}) + "\n", timeout=PATIENCE)
    assert [json.loads(line)["id"] for line in out.splitlines()] == [2]
    entries = own_logging()
    assert len([entry for entry in entries if entry["tool_name"] == tool and entry["status"]]) == 3
    (error,) = [entry for entry in entries if entry["level"] == "ERROR"]
    assert "LookupError: raise" in error["traceback"]


def test_what_a_forked_child_printed_is_not_lost(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Its stdout is written when it ends, also if it is a pipe or a file."""
    program = f"""
import os
from {end_child.__module__} import end_child
if not os.fork():
    print("printed")
    end_child(None)
os.wait()
"""
    assert run("-W", "ignore", "-c", program).stdout == "printed\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (SystemExit(), 0),
        (SystemExit(4), 4),
        (SystemExit("a sentence"), 1),
        (KeyboardInterrupt(), 130),
        (BaseExceptionGroup("", [SystemExit(4)]), 4),
        (LookupError(), 1),
    ],
)
def test_the_exit_code_is_that_of_python(error: BaseException | None, code: int) -> None:
    """Of exceptions, too."""
    assert exit_code_of(error, sentence="it broke") == code


def test_a_forked_child_cannot_use_the_event_loop_of_the_server(own_logging: Entries, start: Start) -> None:
    """It gets an error; it would wait for ever for a loop that does not run there."""
    process = start("-W", "ignore", *SERVE)
    request(process, 0, "initialize", **HELLO)
    assert _call(process, "leave_in_child", how="use the loop") == 5


def _call(process: subprocess.Popen[str], tool: str, **arguments: object) -> object:
    return request(process, 1, "tools/call", name=tool, arguments=arguments)["structuredContent"]["result"]
