"""A baked project with everything on, in an environment of its own, with the peers it is measured against."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / ".cache" / "benchmarks"
PACKAGE = "bench_server"
PEERS = ("confluent-kafka>=2.11,<3", "aiohttp>=3.12,<4", "psutil>=7,<8")
"""The bare drivers and the process statistics that the project itself does not need."""


def installed_project() -> Path:
    """Bake and install the project afresh and return the interpreter that has it."""
    from cookiecutter.main import cookiecutter  # noqa: PLC0415 - slow to import

    shutil.rmtree(FOLDER / PACKAGE, ignore_errors=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    settings = FOLDER / "cookiecutter.yaml"
    settings.write_text(f"cookiecutters_dir: {FOLDER}/cookiecutters\nreplay_dir: {FOLDER}/replay\n", encoding="utf-8")
    cookiecutter(
        str(ROOT),
        no_input=True,
        output_dir=str(FOLDER),
        config_file=str(settings),
        extra_context={"project_slug": PACKAGE, "production_log_destination": "all"},
    )
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        _uv("venv", str(FOLDER / "venv"), "--python", sys.executable)
    _uv("pip", "install", "--python", str(python), "--editable", str(FOLDER / PACKAGE), *PEERS)
    return python


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, *arguments, "--quiet"], check=True)  # noqa: S603 - our own tool
