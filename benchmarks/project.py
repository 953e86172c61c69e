"""Baked projects, in an environment of their own with the peers that they are measured against."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".cache" / "benchmarks"
PACKAGE = "bench_server"
"""The project with everything on."""
DEFAULT_PACKAGE = "bench_default"
"""The project of the default answers."""
PEERS = ("confluent-kafka>=2.11,<3", "aiohttp>=3.12,<4", "psutil>=7,<8")
"""The bare drivers and the process statistics that the project itself does not need."""


def installed_project() -> Path:
    """Bake and install the projects afresh and return the interpreter that has them."""
    from cookiecutter.main import cookiecutter  # noqa: PLC0415 - slow to import

    FOLDER.mkdir(parents=True, exist_ok=True)
    settings = FOLDER / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {FOLDER}/cookiecutters\nreplay_dir: {FOLDER}/replay\n", encoding="utf-8")
    for package, production in ((PACKAGE, "all"), (DEFAULT_PACKAGE, "none")):
        shutil.rmtree(FOLDER / package, ignore_errors=True)
        cookiecutter(
            str(ROOT),
            no_input=True,
            output_dir=str(FOLDER),
            config_file=str(settings),
            extra_context={"project_slug": package, "production_log_destination": production},
        )
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        _uv("venv", str(FOLDER / "venv"), "--python", sys.executable)
    projects = [argument for package in (PACKAGE, DEFAULT_PACKAGE) for argument in ("-e", str(FOLDER / package))]
    _uv("pip", "install", "--python", str(python), *projects, *PEERS)
    return python


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, *arguments, "--quiet"], check=True)  # noqa: S603 - our own tool
