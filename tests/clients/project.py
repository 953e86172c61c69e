"""Bake a project with the default answers, build its wheel, and install it once for all tests of a run."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.project import bake, uv

PLANTED = Path(__file__).with_name("fixtures")
SLUG = "my_mcp_server"
EXAMPLES = ["echo", "wait", "count_words", "temperature", "reverse_all"]
TOOLS = ["crash", "login", *EXAMPLES]


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
        """Return all that a process gets: it finds programs, is at home in `folder`, and records there."""
        path = f"{self.folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {"PATH": path, "HOME": str(folder), "SQLITE_PATH": str(folder / "logs.db"), **settings}


def install(folder: Path) -> None:
    """Bake the project into the folder and install it there, in a place that may still move."""
    source = bake(folder)
    venv = folder / "venv"
    uv("venv", "--relocatable", "--python", sys.executable, venv)
    uv("pip", "install", "--python", venv / "bin" / "python", f"{source}[dev]")
    (tools,) = venv.glob(f"lib/python*/site-packages/{SLUG}/tools")
    shutil.copy(PLANTED / "crash.py", tools)
