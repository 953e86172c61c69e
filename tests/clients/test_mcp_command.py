"""The SDK's own command: `mcp run` and `mcp dev` on the server's file."""

from __future__ import annotations

import json
import shlex
import subprocess
from typing import TYPE_CHECKING

import anyio

from tests.backends import node
from tests.support.project import SLUG
from tests.support.serving import calls

from .python_sdk import echo_over_stdio
from .test_inspector import LAUNCHER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

FILE = f"src/{SLUG}/server/app.py"


def test_mcp_run_serves_the_file(project: Project, tmp_path: Path) -> None:
    """`mcp run src/<slug>/server/app.py` answers a call and records it, though it loads the file by its path."""
    command: list[str | Path] = [project.script("mcp"), "run", project.source / FILE]
    assert anyio.run(echo_over_stdio, command, project.environment(tmp_path), tmp_path) == "hello"
    assert [call["status"] for call in calls(tmp_path)] == ["success"]


def test_mcp_dev_opens_the_inspector_on_the_file(project: Project, npm: Path, tmp_path: Path) -> None:
    """`mcp dev` imports the file and hands it to the Inspector, which gets an answer from it.

    It asks npx for the Inspector and uv for an environment: both are replaced by what is installed here.
    """
    call = ["--cli", "--method", "tools/call", "--tool-name", "echo", "--tool-arg", "text=hello"]
    inspector = shlex.join([node.node(), str(npm / LAUNCHER), *call])
    environment = project.environment(tmp_path)
    environment["PATH"] = f"{tmp_path}:{environment['PATH']}"
    _script(tmp_path / "npx", f'[ "$1" = @modelcontextprotocol/inspector ] && shift && exec {inspector} -- "$@"')
    _script(tmp_path / "uv", '[ "$1 $2" = "run --with" ] && shift 3 && exec "$@"')
    done = subprocess.run(
        [project.script("mcp"), "dev", project.source / FILE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["structuredContent"] == {"result": "hello"}


def _script(path: Path, line: str) -> None:
    """Write a shell script of one line."""
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)
