"""Baked projects, in an environment of their own with the peers that they are measured against."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

from scripts.project import ROOT, bake, uv

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / ".cache" / "benchmarks"
PACKAGE = "bench_server"
"""The project with everything on."""
DEFAULT_PACKAGE = "bench_default"
"""The project of the default answers."""
PEERS = ("confluent-kafka>=2.11,<3", "aiohttp>=3.12,<4", "psutil>=7,<8")
"""The bare drivers and the process statistics that the project itself does not need."""


def installed_project() -> Path:
    """Bake and install the projects afresh and return the interpreter that has them."""
    for package, production in ((PACKAGE, "all"), (DEFAULT_PACKAGE, "none")):
        shutil.rmtree(FOLDER / package, ignore_errors=True)
        bake(FOLDER, {"project_slug": package, "production_log_destination": production, "include_admin_ui": "yes"})
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        uv("venv", FOLDER / "venv", "--python", sys.executable)
    projects = [argument for package in (PACKAGE, DEFAULT_PACKAGE) for argument in ("-e", FOLDER / package)]
    uv("pip", "install", "--python", python, *projects, *PEERS)
    return python
