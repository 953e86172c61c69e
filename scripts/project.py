"""Bake projects from this checkout and install them, writing nothing outside the folders that are named."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")


def questions(template: Path = ROOT) -> dict[str, Any]:
    """Return what `cookiecutter.json` holds: the questions, their choices and the manifest."""
    content: dict[str, Any] = json.loads((template / "cookiecutter.json").read_text(encoding="utf-8"))
    return content


def choices(template: Path = ROOT) -> dict[str, list[str]]:
    """Return the questions that offer a choice, each with its answers, the default first."""
    return {
        name: answers for name, answers in questions(template).items() if isinstance(answers, list) and name[0] != "_"
    }


def everything_on(template: Path = ROOT) -> dict[str, str]:
    """Return the answers with which the most is in the project."""
    return _switched(template, ["yes", "all"])


def everything_off(template: Path = ROOT) -> dict[str, str]:
    """Return the answers with which the least is in the project."""
    return _switched(template, ["no", "none"])


def _switched(template: Path, wanted: list[str]) -> dict[str, str]:
    found = {name: [*filter(answers.__contains__, wanted)] for name, answers in choices(template).items()}
    return {name: answers[0] for name, answers in found.items() if answers}


def bake(
    folder: Path,
    answers: Mapping[str, str] = {},
    *,
    template: Path = ROOT,
    **options: bool,
) -> Path:
    """Bake a project into the folder without asking and return its path; options are those of cookiecutter's `main`."""
    from cookiecutter.main import cookiecutter  # noqa: PLC0415 - slow to import

    folder.mkdir(parents=True, exist_ok=True)
    with _temporary_folder() as temporary:
        settings = temporary / "cookiecutter.yaml"
        settings.write_text(json.dumps({"cookiecutters_dir": str(temporary), "replay_dir": str(temporary)}))
        return Path(
            cookiecutter(
                str(template),
                no_input=True,
                extra_context=dict(answers),
                output_dir=str(folder),
                config_file=str(settings),
                **options,
            )
        )


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Give cookiecutter a folder for its temporary files, because it leaves a copy of each hook there."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="bake-") as folder:
        tempfile.tempdir = folder
        try:
            yield Path(folder)
        finally:
            tempfile.tempdir = before


def make_environment(folder: Path, project: Path) -> Path:
    """Install what a project requires into an environment, which is kept for the next time; return its commands."""
    scripts = folder / "bin"
    if not scripts.exists():
        uv("venv", folder, "--python", sys.executable)
    uv("pip", "install", "--python", scripts / "python", "-r", project / "pyproject.toml", "--all-extras")
    return scripts


def uv(*arguments: str | Path, cwd: Path = ROOT) -> str:
    """Run uv quietly and return what it prints."""
    return subprocess.run([UV, *arguments, "--quiet"], cwd=cwd, check=True, stdout=subprocess.PIPE, text=True).stdout
