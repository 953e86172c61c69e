"""A project needs neither this machine's Python nor its operating system."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.generation import interpreters
from tests.generation.test_projects import call_echo, run_own_tests

if TYPE_CHECKING:
    from tests.conftest import Baked, Environment

PYTHONS = {version: path for version, path in interpreters.find().items() if path is not None}
OTHERS = {version: path for version, path in PYTHONS.items() if version != interpreters.DEFAULT_VERSION}
OTHERS |= {} if OTHERS else {interpreters.DEFAULT_VERSION: interpreters.DEFAULT}
"""Those on which the rest of this suite does not run; where there are none, no test would be left out unsaid."""

WITHOUT_POSIX = Path(__file__).with_name("fixtures") / "without_posix.py"


@pytest.mark.parametrize("python", PYTHONS.values(), ids=PYTHONS.keys())
def test_it_runs_on_every_python(baked: Baked, installed: Environment, python: Path, tmp_path: Path) -> None:
    """A tool call is answered on each version that can be chosen and that this machine has."""
    scripts = installed(baked({}), python)
    assert call_echo(scripts, [scripts / "my-mcp-server"], tmp_path) == "ça va?"


@pytest.mark.parametrize("python", OTHERS.values(), ids=OTHERS.keys())
def test_what_depends_on_python_passes_its_own_tests(
    baked: Baked, installed: Environment, python: Path, tmp_path: Path
) -> None:
    """Threads, signals, the standard library's logging and SQLite differ between versions."""
    project = baked({})
    run_own_tests(
        installed(project, python),
        project,
        "--basetemp",
        tmp_path / "own",
        "-k",
        "unified or sqlite or stdio_server",
    )


def test_it_runs_without_posix(baked: Baked, installed: Environment, tmp_path: Path) -> None:
    """Where this system's own functions, signals and modules are missing it serves, records, and shows what it did."""
    scripts = installed(baked({}))
    poor: list[str | Path] = [scripts / "python", "-W", "error", WITHOUT_POSIX, "my_mcp_server"]
    assert call_echo(scripts, poor, tmp_path) == "ça va?"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    said = [
        subprocess.run([*poor, *verb], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
        for verb in (["logs", "--json"], ["doctor"])
    ]
    assert [json.loads(line)["tool_name"] for line in said[0].splitlines()] == ["echo"]
    assert "sqlite" in said[1]
