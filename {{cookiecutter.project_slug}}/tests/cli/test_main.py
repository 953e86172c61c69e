"""The command as a whole: its exit codes, where it prints, and what it imports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from helpers import PATIENCE, program_path

from {{cookiecutter.project_slug}} import __version__
from {{cookiecutter.project_slug}}.choices import COMMAND
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.overview import VERBS
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Run = Callable[..., subprocess.CompletedProcess[str]]

SLOW = {"argparse", "asyncio", "loguru", "mcp", "orjson", "pydantic", "yaml"}
"""Modules that take about as long to import as Python takes to start, or longer."""
SDK = {"mcp", "mcp_types", "starlette", "uvicorn"}
"""The SDK, and what it imports."""


@pytest.mark.parametrize(
    "arguments",
    ["logs", "logs --json", "logs stats", "logs show last", "logs --help", "doctor", "--help", "--version"],
)
def test_a_closed_pipe_ends_the_command_quietly(
    recorded: object,
    start: Callable[..., subprocess.Popen[str]],
    arguments: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After `logs | head`, the exit code is the one that shells show for SIGPIPE, and stderr is empty."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    reader, writer = os.pipe()
    os.close(reader)
    process = start("-m", PACKAGE, *arguments.split(), stdout=writer)
    os.close(writer)
    assert (process.communicate(timeout=PATIENCE)[1], process.returncode) == ("", 141)


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


def test_help_lists_the_verbs_and_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    """It fits on a screen, and names where the rest is."""
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: {COMMAND} [VERB] [OPTIONS]\n")
    assert [text for text in (*VERBS, "--help-settings", "--version") if f"  {text} " not in out] == []
    assert len(out.splitlines()) < 24


def test_version_prints_the_version_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else is printed."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("argument", ["--version", "--help", "-h"])
def test_version_and_help_import_nothing_slow(run: Run, argument: str) -> None:
    """So they answer at once."""
    done = run(program_path("modules_of_command"), argument)
    assert done.returncode == 0
    assert SLOW & set(done.stderr.split()) == set()


@pytest.mark.parametrize("arguments", [[], ["--json"], ["stats"], ["show", "c-1"], ["--help"]])
def test_logs_imports_no_sdk(recorded: object, run: Run, arguments: list[str]) -> None:
    """It only reads a store."""
    done = run(program_path("modules_of_command"), "logs", *arguments)
    assert SDK & set(done.stderr.split()) == set()
