"""The examples of the guide, as they are written there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from tests.support.project import SLUG
from tests.support.serving import calls, entries

from .python_sdk import echo_over_stdio, stdio

if TYPE_CHECKING:
    from tests.support.project import Project

FIXTURES = Path(__file__).with_name("fixtures")
SHELL = f"ENABLE_LOCAL_LOGGING=true ENABLE_PRODUCTION_LOGGING=false python -m {SLUG}.server.app"
YAML = "enable_local_logging: true\nlog_level: DEBUG\n"


def test_the_guides_command_serves(project: Project, tmp_path: Path) -> None:
    """The line of the guide, typed into a shell, serves over stdio and records locally."""
    command = ["/bin/sh", "-c", SHELL]
    assert anyio.run(echo_over_stdio, command, project.environment(tmp_path), tmp_path) == "hello"
    assert [call["correlation_id"] for call in calls(tmp_path)] == ["the-test's-own"]


def test_the_guides_yaml_file_is_read(project: Project, tmp_path: Path) -> None:
    """`config.yaml` in the working folder switches local logging on and lowers the level."""
    (tmp_path / "config.yaml").write_text(YAML, encoding="utf-8")
    anyio.run(_crash, project, tmp_path)
    assert ("DEBUG", "about to crash") in [(entry["level"], entry["message"]) for entry in entries(tmp_path)]


def test_lines_below_the_level_are_not_recorded(project: Project, tmp_path: Path) -> None:
    """Without the file the level is INFO."""
    anyio.run(_crash, project, tmp_path)
    assert {entry["level"] for entry in entries(tmp_path)} == {"ERROR"}


def test_a_script_logs_through_the_stack(project: Project, tmp_path: Path) -> None:
    """A script that only calls `UnifiedLogger.initialize(destination)` has delivered its lines when it ends."""
    done = project.run_python(tmp_path, FIXTURES / "guide_script.py")
    assert done.returncode == 0, done.stderr
    assert [(entry["message"], entry["module"]) for entry in entries(tmp_path)] == [
        ("from loguru: 42", "__main__"),
        ("from the standard library", "mine"),
    ]


async def _crash(project: Project, folder: Path) -> None:
    async with stdio([project.command], project.environment(folder), folder) as client:
        await client.call_tool("crash", {})
