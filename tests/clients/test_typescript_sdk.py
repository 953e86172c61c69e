"""The TypeScript SDK's clients, 1.x and 2.x, over stdio and streamable HTTP."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.backends import node
from tests.backends.processes import wait_until
from tests.support.serving import Served, calls

from .conftest import NPM
from .python_sdk import TOOLS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

TEXT = "zwölf {braces} 😀"
SDKS = [("sdk", "legacy"), ("client", "legacy"), ("client", "auto")]


@pytest.mark.parametrize("transport", ["stdio", "http"])
@pytest.mark.parametrize(("sdk", "mode"), SDKS, ids=["1.x", "2.x-legacy", "2.x-auto"])
def test_the_typescript_sdk_lists_and_calls(
    transport: str, sdk: str, mode: str, project: Project, served: Served, npm: Path, tmp_path: Path
) -> None:
    """It finds the tools, gets echo's text and a failure's, and its calls are recorded under the id in its `_meta`."""
    correlation_id = f"{transport} {sdk} {mode}"
    target = project.command if transport == "stdio" else served.url
    done = subprocess.run(
        [node.node(), NPM / "typescript.mjs", npm, sdk, mode, correlation_id, target],
        cwd=tmp_path,
        env=project.environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["tools"] == TOOLS
    assert told["echo"]["structuredContent"] == {"result": TEXT}
    assert told["failure"]["isError"]
    folder = tmp_path if transport == "stdio" else served.folder

    def recorded() -> list[tuple[str, str]]:
        found = [call for call in calls(folder) if call["correlation_id"] == correlation_id]
        assert {call["client_name"] for call in found} <= {f"typescript {sdk}"}
        return [(call["tool_name"], call["status"]) for call in found]

    assert wait_until(lambda: recorded() == [("echo", "success"), ("temperature", "error")], 10), recorded()
