"""A baked project works: installed, built, imported, called, and by its own tests."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scripts.project import ROOT, bake, uv
from tests.generation.combinations import ALONE, EXTREMES, Answers, every_pair

if TYPE_CHECKING:
    from tests.conftest import Baked, Environment

CALL_TOOL = ROOT / "scripts" / "call_tool.py"
DEADLINE = 600
"""Seconds after which a project's own tests hang; SIGABRT makes pytest tell where."""
PRODUCTION = {name: answers for name, answers in ALONE.items() if answers["local_log_destination"] == "none"}
WITH_LOCAL = {
    name.replace("alone", "and SQLite"): {"production_log_destination": answers["production_log_destination"]}
    for name, answers in PRODUCTION.items()
}
ONE = {**PRODUCTION, **WITH_LOCAL}
"""Projects with one production destination."""

OTHER_DEFAULTS = {
    "log_level": "ERROR",
    "log_retention_days": "0",
    "log_retry_attempts": "1",
    "log_retry_delay_ms": "60000",
    "project_name": "Another: 'one'",
}

FIXTURES = Path(__file__).with_name("fixtures")


def call_echo(scripts: Path, command: list[str | Path], folder: Path) -> str:
    """Call `echo` of a server that runs in a folder of its own, over stdio, and return the answer."""
    arguments = ["--tool", "echo", "--arguments", json.dumps({"text": "ça va?"})]
    done = subprocess.run(
        [scripts / "python", CALL_TOOL, *arguments, *command],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def run_own_tests(scripts: Path, project: Path, *options: str | Path) -> None:
    """Run the tests that a project brings, in its environment, and fail with what they say."""
    command = [scripts / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    process = subprocess.Popen(
        command,
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGABRT)
        said, _ = process.communicate()
    assert process.returncode == 0, said
    assert " skipped" not in said, said


@pytest.mark.parametrize("answers", EXTREMES.values(), ids=EXTREMES.keys())
def test_its_own_tests_pass(baked: Baked, installed: Environment, answers: Answers, tmp_path: Path) -> None:
    """The tests that it brings are green with what its plain installation brings."""
    project = baked(answers)
    run_own_tests(installed(project), project, "--basetemp", tmp_path / "own")


@pytest.mark.parametrize("answers", ONE.values(), ids=ONE.keys())
def test_its_own_tests_pass_with_one_production_destination(
    baked: Baked, installed: Environment, answers: Answers, tmp_path: Path
) -> None:
    """So are those about settings, commands and destinations, without SQLite and with it, whose own tests ran above."""
    project = baked(answers)
    selection = ["-k", "(config or cli or destinations) and not test_sqlite"]
    run_own_tests(installed(project), project, "--basetemp", tmp_path / "own", *selection)


def test_its_own_tests_pass_with_other_defaults(baked: Baked, installed: Environment, tmp_path: Path) -> None:
    """What is answered to questions about levels, attempts and days is no business of the tests'."""
    project = baked(OTHER_DEFAULTS)
    run_own_tests(
        installed(project), project, "--basetemp", tmp_path / "own", "-k", "serve or config or cli or unified"
    )


def test_it_runs_without_hooks(installed: Environment, tmp_path: Path) -> None:
    """Where nobody pruned, more than was chosen is there, and none of it is in the way."""
    scripts = installed(bake(tmp_path / "baked", EXTREMES["nothing"], accept_hooks=False))
    assert call_echo(scripts, [scripts / "my-mcp-server"], tmp_path) == "ça va?"


@pytest.mark.parametrize("answers", every_pair().values(), ids=every_pair().keys())
def test_every_combination_answers_and_does_nothing_when_imported(
    baked: Baked, environment: Environment, answers: Answers, tmp_path: Path
) -> None:
    """Importing all its modules starts, writes and configures nothing; then its server answers."""
    project = baked({**answers, "python_version": "3.11"})
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*")}
    done = subprocess.run(
        [environment(project) / "python", "-W", "error", FIXTURES / "import_and_call.py", project.name],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    called = ["hello"] if answers["include_example_tools"] == "yes" else []
    assert json.loads(done.stdout) == {"events": [], "unchanged": True, "written": [], "answers": called}
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*")} == before


@pytest.mark.parametrize("answers", EXTREMES.values(), ids=EXTREMES.keys())
def test_its_wheel_is_whole(baked: Baked, answers: Answers, tmp_path: Path) -> None:
    """The wheel holds every file of the package."""
    project = baked(answers)
    package = project / "src" / project.name
    wheel = _build(project, tmp_path)
    files = [path for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"]  # which other tests left
    expected = {str(path.relative_to(package.parent)) for path in files}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == expected


def test_its_wheel_works_alone(baked: Baked, tmp_path: Path) -> None:
    """Installed from the wheel, away from its sources, it answers a tool call and remembers it."""
    wheel = _build(baked({}), tmp_path)
    uv("venv", tmp_path / "venv", "--python", sys.executable)
    scripts = tmp_path / "venv" / "bin"
    uv("pip", "install", "--python", scripts / "python", wheel)
    assert call_echo(scripts, [scripts / "my-mcp-server"], tmp_path) == "ça va?"
    logs: list[str | Path] = [scripts / "my-mcp-server", "logs", "--json"]
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    lines = subprocess.run(logs, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout
    assert [json.loads(line)["tool_name"] for line in lines.splitlines()] == ["echo"]


def _build(project: Path, folder: Path) -> Path:
    """Build a wheel and return its path."""
    uv("build", "--wheel", "--out-dir", folder / "dist", project)
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel
