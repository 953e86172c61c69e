"""The Pythons of this machine that a project can run on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from scripts.project import choices, uv

DEFAULT = Path(sys.executable)
DEFAULT_VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


@cache
def find() -> dict[str, Path | None]:
    """Return each version that can be chosen with its interpreter, or None where the machine has none."""
    return {version: next(filter(_works, _candidates(version)), None) for version in choices()["python_version"]}


def _candidates(version: str) -> list[Path]:
    name = f"python{version}"
    on_path = shutil.which(name)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    managed = Path(uv("python", "dir").strip())
    return [
        *([Path(on_path)] if on_path else []),
        *sorted(pyenv.glob(f"{version}.*/bin/{name}")),
        *sorted(managed.glob(f"cpython-{version}.*/bin/{name}")),
    ]


def _works(python: Path) -> bool:
    """Tell whether an interpreter starts: a shim may stand for one that is not there."""
    return subprocess.run([python, "-c", ""], stderr=subprocess.DEVNULL, check=False).returncode == 0
