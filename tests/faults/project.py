"""Bake a project with every destination, once per run, and install it in an environment of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from filelock import FileLock

from scripts.project import bake, uv

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

PLANTED = Path(__file__).with_name("fixtures")
SLUG = "baked_server"
DEADLINE = 60


@dataclass(frozen=True)
class Project:
    """A baked project: its folder and the interpreter it is installed for."""

    folder: Path
    python: Path

    @property
    def source(self) -> Path:
        """Return the folder that holds the import package."""
        return self.folder / "src"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment its processes get: nothing of ours but where to find programs and planted modules."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "home"),
            "PYTHONPATH": str(PLANTED),
            "PYTHONUNBUFFERED": "1",
        }

    def run(
        self, *arguments: str, settings: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.CompletedProcess[str]:
        """Run the project's interpreter to its end and return what it said."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.folder,
            env={**self.environment, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )


def make_project(folder: Path) -> Project:
    """Bake a server with all destinations, plant the tools that look inside, and install it, unless that was done."""
    project = Project(folder / SLUG, folder / "venv" / "bin" / "python")
    if not (folder / "made").exists():
        bake(folder, {"project_name": "Baked Server", "project_slug": SLUG, "production_log_destination": "all"})
        shutil.copy(PLANTED / "probe.py", project.folder / "src" / SLUG / "tools" / "probe.py")
        uv("venv", folder / "venv", "--python", sys.executable)
        uv("pip", "install", "--python", project.python, project.folder)
        (folder / "made").touch()
    return project


def shared_project(config: pytest.Config, factory: pytest.TempPathFactory) -> Project:
    """Return the server that all workers of a run share, made by the first that asks."""
    base = factory.getbasetemp()
    run = base.parent if hasattr(config, "workerinput") else base
    with FileLock(run / "faults.lock"):
        return make_project(run / "faults")
