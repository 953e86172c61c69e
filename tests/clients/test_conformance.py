"""The protocol's own conformance suite: those of its scenarios that ask for no special tools, prompts or resources."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.backends import node

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.serving import Served

SUITE = "@modelcontextprotocol/conformance/dist/index.js"
SCENARIOS = ["server-initialize", "ping", "tools-list", "server-sse-multiple-streams", "dns-rebinding-protection"]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_server_conforms(scenario: str, served: Served, npm: Path, tmp_path: Path) -> None:
    """Every check of the scenario passes."""
    command: list[str | Path] = [node.node(), npm / SUITE, "server", "--url", served.url, "--scenario", scenario]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed, 0 warnings" in done.stdout
