"""Bake a project and install it, once for all tests of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.project import bake, uv

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXTURES = Path(__file__).with_name("fixtures")
"""Modules that every project can import: destinations, and the server without logging."""
SLUG = "my_mcp_server"
DEADLINE = 120


@dataclass(frozen=True)
class Project:
    """A baked project: its sources, and an environment with its wheel and what its own developers have."""

    folder: Path

    @property
    def source(self) -> Path:
        """Return the baked folder."""
        return self.folder / SLUG

    @property
    def python(self) -> str:
        """Return the interpreter of its environment."""
        return self.script("python")

    @property
    def command(self) -> str:
        """Return the project's own command."""
        return self.script("my-mcp-server")

    def script(self, name: str) -> str:
        """Return a command of its environment."""
        return os.fspath(self.folder / "venv" / "bin" / name)

    def environment(self, folder: Path, **settings: str) -> dict[str, str]:
        """Return all variables of a process whose home is `folder` and which keeps its entries there."""
        return {
            "PATH": f"{self.folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.fspath(FIXTURES),
            "HOME": os.fspath(folder),
            "SQLITE_PATH": os.fspath(folder / "logs.db"),
            **settings,
        }

    def run(self, folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run the project's command in a folder until it ends; settings are environment variables."""
        return self.run_python(folder, "-m", SLUG, *arguments, **settings)

    def run_python(
        self, folder: Path, *arguments: str | Path, stdin: str = "", **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the project's interpreter in a folder until it ends."""
        folder.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            [self.python, *arguments],
            cwd=folder,
            env=self.environment(folder, **settings),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=DEADLINE,
            check=False,
        )


def install(folder: Path, *, answers: Mapping[str, str], tools: Path) -> None:
    """Bake a project into the folder and install it there with one more module of tools; the folder may still move."""
    source = bake(folder, answers)
    venv = folder / "venv"
    uv("venv", "--relocatable", "--python", sys.executable, venv)
    uv("pip", "install", "--python", venv / "bin" / "python", f"{source}[dev]")
    (installed,) = venv.glob(f"lib/python*/site-packages/{SLUG}/tools")
    shutil.copy(tools, installed)
