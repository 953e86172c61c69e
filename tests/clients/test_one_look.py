"""What the model called, with what, how long it took, and why it failed: in one entry, and in one look."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import termios
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import LineServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

COLUMNS = 80


@pytest.fixture
def failed(project: Project, tmp_path: Path) -> Path:
    """Return the folder of a server whose tools were called over stdio; two calls failed, `crash` last."""
    with LineServer(project, tmp_path) as server:
        server.call("echo", text="hello")
        server.call("temperature", city="Atlantis")
        server.call("crash")
        assert server.end() == 0
    return tmp_path


def on_terminal(project: Project, folder: Path, *arguments: str) -> list[str]:
    """Return the lines that the command shows on a terminal of 80 columns."""
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, COLUMNS))
    environment = project.environment(folder, NO_COLOR="1", TERM="xterm")
    subprocess.run([project.command, *arguments], env=environment, cwd=folder, stdout=writer, check=True)
    os.close(writer)
    shown = os.read(reader, 1 << 20).decode()
    os.close(reader)
    return shown.splitlines()


def test_one_failing_call_is_one_entry(project: Project, failed: Path) -> None:
    """It has what an audit asks for, and nothing else says the same."""
    done = project.run(failed, "logs", "--json", "--level", "ERROR", "--tool", "crash")
    (entry,) = map(json.loads, done.stdout.splitlines())
    expected = {
        "level": "ERROR",
        "log_type": "tool_execution",
        "tool_name": "crash",
        "status": "error",
        "error_type": "RuntimeError",
        "error_message": "an internal detail",
        "input_args": {},
        "client_name": "raw",
    }
    assert {name: entry[name] for name in expected} == expected
    assert entry["traceback"].endswith("RuntimeError: an internal detail\n")
    everything = project.run(failed, "logs", "--json").stdout
    assert everything.count("raised an unexpected exception") == 0


def test_a_failure_fits_on_one_line_of_a_terminal(project: Project, failed: Path) -> None:
    """Tool, duration and the first words of the reason; no line is wider than the terminal."""
    lines = on_terminal(project, failed, "logs", "--status", "error")
    assert max(map(len, lines)) <= COLUMNS
    assert any("crash" in line and " ms " in line and "an internal detail" in line for line in lines), lines
    assert any("temperature" in line and " ms " in line and "No temperature for" in line for line in lines), lines


def test_the_line_that_failed_is_one_command_away(project: Project, failed: Path) -> None:
    """`logs show last-error` shows the tool's own code, and `--text` finds the class."""
    lines = on_terminal(project, failed, "logs", "show", "last-error")
    assert any(line.strip() == "raise RuntimeError(msg)" for line in lines), lines
    found = project.run(failed, "logs", "--json", "--text", "RuntimeError")
    assert [json.loads(line)["tool_name"] for line in found.stdout.splitlines()] == ["crash"]
