"""Projects baked from this checkout, and environments that have what they need."""

from __future__ import annotations

import os
import signal
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from scripts.project import bake, uv
from tests.generation import interpreters

pytest_plugins = ["tests.backends.plugin", "tests.support.plugin"]

Bake = Callable[..., Path]
Baked = Callable[[Mapping[str, str]], Path]
Environment = Callable[..., Path]


@pytest.fixture(scope="session", autouse=True)
def not_in_the_background() -> None:
    """Let processes that tests start hear SIGINT, SIGQUIT and SIGHUP, though the suite was told to ignore them.

    `pytest &` in a script and `nohup pytest` do that, and what is ignored is inherited; a handler is not.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture(scope="session", autouse=True)
def compiled_once(run_folder: Path) -> None:
    """Let processes that tests start share what they compile, outside of all projects: each saves a second or two."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(run_folder / "bytecode")


@pytest.fixture(name="bake")
def bake_fixture(tmp_path: Path) -> Bake:
    """Return what bakes a project of one's own: `bake(project_name="X")`."""
    return lambda **answers: bake(tmp_path / "baked", answers)


@pytest.fixture(scope="session")
def baked(tmp_path_factory: pytest.TempPathFactory) -> Baked:
    """Return what bakes a project once for all tests, which only read it."""
    projects: dict[tuple[tuple[str, str], ...], Path] = {}

    def once(answers: Mapping[str, str]) -> Path:
        key = tuple(sorted(answers.items()))
        if key not in projects:
            projects[key] = bake(tmp_path_factory.mktemp("baked"), answers)
        return projects[key]

    return once


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return what makes an environment with all that a project and its tests need, and gives its folder of commands.

    Projects with the same requirements share one. The project itself is not in it.
    """
    folders: dict[str, Path] = {}

    def make(project: Path, python: Path = interpreters.DEFAULT) -> Path:
        pyproject = project / "pyproject.toml"
        needs = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
        key = f"{python} {needs['dependencies']} {needs['optional-dependencies']}"
        if key not in folders:
            folder = tmp_path_factory.mktemp("environment")
            uv("venv", folder, "--python", python, "--clear")
            uv("pip", "install", "--python", folder / "bin" / "python", "-r", pyproject, "--all-extras")
            folders[key] = folder / "bin"
        return folders[key]

    return make


@pytest.fixture(scope="session")
def installed(environment: Environment) -> Environment:
    """Return what installs a project into its environment, in place of the one before, and gives the same folder."""

    def install(project: Path, python: Path = interpreters.DEFAULT) -> Path:
        scripts = environment(project, python)
        uv("pip", "install", "--python", scripts / "python", "--no-deps", "--editable", project)
        return scripts

    return install


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on which versions of Python this machine could not test."""
    if missing := [version for version, path in interpreters.find().items() if path is None]:
        terminalreporter.write_line(f"Not on this machine, so not tested: Python {', '.join(missing)}")
