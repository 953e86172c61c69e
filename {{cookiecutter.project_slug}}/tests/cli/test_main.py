"""The command as a whole: its exit codes, and where it prints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable


@pytest.mark.parametrize("arguments", [["logs"], ["logs", "--json"], ["logs", "stats"], ["doctor"]])
def test_a_closed_pipe_ends_the_command_quietly(
    recorded: object,
    start: Callable[..., subprocess.Popen[str]],
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After `logs | head`, the exit code is the one that shells show for SIGPIPE, and stderr is empty."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    reader, writer = os.pipe()
    os.close(reader)
    process = start("-m", PACKAGE, *arguments, stdout=writer)
    os.close(writer)
    assert (process.communicate(timeout=20)[1], process.returncode) == ("", 141)


def test_each_malformed_setting_is_one_line_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and nothing is printed to stdout."""
    monkeypatch.setenv("HTTP_PORT", "many")
    monkeypatch.setenv("LOG_RETENTION_DAYS", "-3")
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    port, days = sorted(err.splitlines())
    assert port.startswith("HTTP_PORT is 'many': ")
    assert days.startswith("LOG_RETENTION_DAYS is '-3': ")
