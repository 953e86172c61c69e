"""Bake a project with everything on, and install it with what its own tests need, once for all tests of a run."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.project import bake, everything_on, uv

PLANTED = Path(__file__).with_name("fixtures")
SLUG = "my_mcp_server"


@dataclass(frozen=True)
class Project:
    """A baked project: its sources, and an environment in which it is installed."""

    folder: Path

    @property
    def source(self) -> Path:
        """Return the baked folder."""
        return self.folder / SLUG

    @property
    def python(self) -> str:
        """Return the interpreter of its environment."""
        return os.fspath(self.folder / "venv" / "bin" / "python")

    def environment(self, folder: Path, **settings: str) -> dict[str, str]:
        """Return all that a process gets: it finds planted modules, is at home in `folder`, and records there."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.fspath(PLANTED),
            "HOME": os.fspath(folder),
            "SQLITE_PATH": os.fspath(folder / "logs.db"),
            **settings,
        }

    def run(self, folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the project's command to its end; settings are environment variables."""
        folder.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            [self.python, "-m", SLUG, *arguments],
            cwd=folder,
            env=self.environment(folder, **settings),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def install(folder: Path) -> None:
    """Bake the project into the folder and install it there, in a place that may still move."""
    source = bake(folder, everything_on())
    venv = folder / "venv"
    uv("venv", "--relocatable", "--python", sys.executable, venv)
    uv("pip", "install", "--python", venv / "bin" / "python", f"{source}[dev]")
