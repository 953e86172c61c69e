"""A start that crashes: it is recorded, the process ends at once, and stdout stays empty."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers import PROGRAMS, program_path, read_json_lines

from {{cookiecutter.project_slug}}.server import app

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from .server_helpers import Entries

    Run = Callable[..., subprocess.CompletedProcess[str]]

CRASHES = {
    "missing_import": "ModuleNotFoundError: No module named 'not_installed_anywhere'",
    "raising_register": "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    "exiting": "SystemExit: set WEATHER_URL",
    "leaving_a_thread": "OSError: not ready",
}
"""The folders of failing tool modules, and what each of them raises."""
CALL = ["call", "anything"]
HTTP = ["--transport", "streamable-http", "--port", "0"]


@pytest.mark.parametrize(
    ("name", "words"), [*((name, []) for name in CRASHES), ("missing_import", CALL), ("exiting", HTTP)]
)
def test_a_failing_tool_module_is_recorded(own_logging: Entries, run: Run, name: str, words: list[str]) -> None:
    """One entry has the class, the reason and the traceback; stderr has the same; the exit code is 1."""
    folder = PROGRAMS / "tools" / name
    result = run(program_path("serve_with_tools"), str(folder), *words)
    assert (result.returncode, result.stdout) == (1, "")
    (entry,) = [entry for entry in own_logging() if entry["level"] == "CRITICAL"]
    kind, _, reason = CRASHES[name].partition(": ")
    assert (entry["log_type"], entry["error_type"], entry["error_message"]) == ("internal", kind, reason)
    assert entry["message"].startswith(f"the server cannot start because of an error in {folder / name}.py, line ")
    assert f"{name}.py" in entry["traceback"]
    (line,) = [line for line in result.stderr.splitlines() if " CRITICAL " in line]
    assert line.endswith(f"{entry['message']} ({CRASHES[name]})")
    assert result.stderr.count("Traceback (most recent call last)") == 1


def test_a_failing_start_ends_although_a_destination_hangs(
    own_logging: Entries, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits as long as any end of the server does."""
    monkeypatch.setenv("LOG_DESTINATION_TYPE", "fake_destinations:HangingDestination")
    monkeypatch.setenv("LOG_DRAIN_TIMEOUT_MS", "300")
    result = run(program_path("serve_with_tools"), str(PROGRAMS / "tools" / "missing_import"))
    assert result.returncode == 1
    assert "the server cannot start because of an error in " in result.stderr


def test_a_crash_before_logging_starts_is_recorded_locally(run: Run) -> None:
    """An SDK that cannot be imported, for example."""
    result = run(program_path("serve_without_sdk"))
    assert (result.returncode, result.stdout) == (1, "")
    (entry,) = [entry for entry in read_json_lines(Path("local.jsonl")) if entry["level"] == "CRITICAL"]
    assert entry["error_type"] == "ModuleNotFoundError"
    assert "the server cannot start because of an error in " in result.stderr


def test_a_failing_tool_module_is_recorded_under_mcp_run(own_logging: Entries, run: Run) -> None:
    """The exception reaches `mcp run`, which reports it in its own way."""
    result = run(program_path("mcp_run"), app.__file__, str(PROGRAMS / "tools" / "missing_import"))
    assert result.returncode == 1
    (entry,) = [entry for entry in own_logging() if entry["level"] == "CRITICAL"]
    assert entry["error_type"] == "ModuleNotFoundError"


def test_a_malformed_setting_is_reported_in_one_line(
    own_logging: Entries, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one sentence, with exit code 2."""
    monkeypatch.setenv("LOG_DESTINATION_TYPE", "nowhere:Class")
    result = run(program_path("serve_with_tools"), str(PROGRAMS / "tools" / "missing_import"))
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
