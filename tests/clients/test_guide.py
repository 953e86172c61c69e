"""The examples of the guide, as they are written there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from scripts.project import ROOT, UV
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


def test_four_commands_lead_to_the_first_recorded_call(tmp_path: Path) -> None:
    """The first commands of getting-started, typed into a shell: the last one shows the call of the one before."""
    page = (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8")
    commands = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)[0]
    assert len(commands.splitlines()) == 4
    local = commands.replace("gh:<org>/<repo>", f"--no-input {shlex.quote(str(ROOT))}")
    cache = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"PATH": f"{UV.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "UV_CACHE_DIR": cache}
    environment |= {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = subprocess.run(
        ["/bin/sh", "-ec", local], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"success +echo .*hello", done.stdout), done.stdout


async def _crash(project: Project, folder: Path) -> None:
    async with stdio([project.command], project.environment(folder), folder) as client:
        await client.call_tool("crash", {})
