"""The MCP Inspector in its CLI mode, over stdio and streamable HTTP, in both protocol eras."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.backends import node
from tests.support.serving import Served, calls

from .python_sdk import TOOLS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

LAUNCHER = "@modelcontextprotocol/inspector/clients/launcher/build/index.js"
CALL = ("tools/call", "--tool-name", "echo", "--tool-arg", "text=grüße {x}", "--tool-metadata", "correlation_id=mine")


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_finds_every_tool_and_calls_echo(
    transport: str, era: str, project: Project, served: Served, npm: Path, tmp_path: Path
) -> None:
    """`tools/list` lists them, and what echo returns comes out unchanged; the call is recorded as the Inspector's."""
    environment = project.environment(tmp_path)
    # The server that it starts gets only what `-e` names.
    target = ["-e", f"SQLITE_PATH={tmp_path / 'logs.db'}", project.command] if transport == "stdio" else [served.url]

    def inspect(*arguments: str) -> dict[str, Any]:
        command: list[str | Path] = [
            node.node(),
            npm / LAUNCHER,
            "--cli",
            *target,
            "--protocol-era",
            era,
            "--method",
            *arguments,
        ]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        shown: dict[str, Any] = json.loads(done.stdout)
        return shown

    assert [tool["name"] for tool in inspect("tools/list")["tools"]] == TOOLS
    assert inspect(*CALL)["structuredContent"] == {"result": "grüße {x}"}
    if transport == "stdio":
        (call,) = calls(tmp_path)
        assert (call["correlation_id"], call["status"], call["output_summary"]) == ("mine", "success", "grüße {x}")
        assert "inspector" in call["client_name"]
