"""Check the template's source: bake a project with everything on, and run its own linters over it."""

from __future__ import annotations

import os
import shutil
import subprocess

from .project import ROOT, bake, everything_on, make_environment

FOLDER = ROOT / ".cache" / "lint"


def main() -> int:
    """Return 1 if a linter finds something."""
    shutil.rmtree(FOLDER / "project", ignore_errors=True)
    project = bake(FOLDER / "project", everything_on())
    scripts = make_environment(FOLDER / "venv", project)
    environment = {**os.environ, "MYPYPATH": "src", "MYPY_CACHE_DIR": str(FOLDER / "mypy")}
    ruff_options = "--no-cache --no-respect-gitignore ."  # .cache, where it is baked, is ignored
    commands = [f"ruff check {ruff_options}", f"ruff format --check {ruff_options}", "mypy"]
    failed = False
    for command in commands:
        name, *arguments = command.split()
        print(f"{command}   # in {project.relative_to(ROOT)}", flush=True)
        failed |= (
            subprocess.run([scripts / name, *arguments], cwd=project, env=environment, check=False).returncode != 0
        )
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
