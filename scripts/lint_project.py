"""Check the template's source: bake a project with everything on, and run its own linters over it.

Its owner's tools and tests need to pass ruff's default rules only; those that come with the template must pass all.
"""

from __future__ import annotations

import os
import shutil
import subprocess

from .project import ROOT, bake, everything_on, make_environment

FOLDER = ROOT / ".cache" / "lint"
TEST_IGNORES = {
    "ARG001": "fixtures are requested by name",
    "FBT": "parameters of tests can be booleans",
    "INP001": "tests are not a package",
    "PLC0415": "some tests measure imports",
    "PLR2004": "tests compare with literal numbers",
    "S": "tests use assert and start processes",
    "SLF001": "tests may access private members",
}
"""Rules that the template's tests need not pass, and why."""


def main() -> int:
    """Return 1 if a linter finds something."""
    shutil.rmtree(FOLDER / "project", ignore_errors=True)
    project = bake(FOLDER / "project", everything_on())
    scripts = make_environment(FOLDER / "venv", project)
    environment = {**os.environ, "MYPYPATH": "src", "MYPY_CACHE_DIR": str(FOLDER / "mypy")}
    ruff_options = "--no-cache --no-respect-gitignore ."  # .cache, where it is baked, is ignored
    ignores = ",".join(f"tests/*:{rule}" for rule in TEST_IGNORES)
    commands = [f"ruff check {ruff_options}", f"ruff check --target-version py313 {ruff_options}"]
    commands += [f"ruff check --config pyproject.toml --extend-per-file-ignores {ignores} {ruff_options}"]
    commands += [f"ruff format --check {ruff_options}", "mypy"]
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
