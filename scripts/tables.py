"""Rewrite the tables of destinations, questions, settings and commands in the documentation.

They are derived from `cookiecutter.json` and from the code of a project with everything on. A test checks
that they are up to date.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from .project import ROOT, bake, everything_on, make_environment, questions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

FOLDER = ROOT / ".cache" / "lint"
"""Shared with `lint_project`, which needs the same environment."""
LIST_SETTINGS = Path(__file__).with_name("list_settings.py")
LIST_SECRETS = Path(__file__).with_name("list_secrets.py")

README = ROOT / "README.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
PROJECT_CONFIGURATION = ROOT / "{{cookiecutter.project_slug}}" / "docs" / "configuration.md"
PROJECT_REDACTION = ROOT / "{{cookiecutter.project_slug}}" / "docs" / "redaction.md"

DESTINATIONS_HEAD = "| destination | answer | role | driver | about |"
QUESTIONS_HEAD = "| answer | default | question |"
SETTINGS_HEAD = "| setting | default | meaning |"
COMMANDS_HEAD = "| command | meaning |"
SECRET_HEADS = {
    "keys": "| word | such as | but not |",
    "issuers": "| issuer | form |",
    "places": "| place | such as | but not |",
}

DEFAULTS_IN_WORDS = {"project_slug": "from the name", "sqlite_path": "`logs.db in the user's data folder`"}
"""Defaults that depend on another answer or on the machine."""
IN_HELP = re.compile(r"^ {2,4}([-{\w].*?)(?: {2,}|\n {10,})(\S.*)$", re.MULTILINE)
"""A verb, argument or option in the output of `--help`, and its meaning."""

RANDOM_PART = re.compile(r"\{[abdhluw]\d+\}7?")
"""A random part of an example of a secret, such as {a20}."""

Row = list[str]
Setting = tuple[str, object, str]
"""A name, a default and a description."""


def main() -> int:
    """Rewrite all tables and print the pages."""
    shutil.rmtree(FOLDER / "tables", ignore_errors=True)
    project = bake(FOLDER / "tables", everything_on())
    python = make_environment(FOLDER / "venv", project) / "python"

    def help_of(*verb: str) -> str:
        return run(python, project, "-m", project.name, *verb, "--help")

    write_rows(README, DESTINATIONS_HEAD, destination_rows())
    write_rows(CONFIGURATION, QUESTIONS_HEAD, question_rows())
    write_rows(CONFIGURATION, SETTINGS_HEAD, setting_rows(list_settings(python, project)))
    write_lines(PROJECT_CONFIGURATION, COMMANDS_HEAD, optional_lines(command_rows(help_of)))
    for table, rows in secret_rows(python, project).items():
        write_rows(PROJECT_REDACTION, SECRET_HEADS[table], rows)
    for page in (README, CONFIGURATION, PROJECT_CONFIGURATION, PROJECT_REDACTION):
        print(page.relative_to(ROOT))
    return 0


def destination_rows() -> list[Row]:
    """Return a row per destination of the manifest."""
    return [
        [
            entry["label"],
            f"`{name}`",
            entry["role"],
            ", ".join(f"`{requirement}`" for requirement in entry["requirements"]),
            entry["summary"] if entry["readable"] else f"{entry['summary']}; write-only",
        ]
        for name, entry in questions()["_manifest"]["destinations"].items()
    ]


def question_rows() -> list[Row]:
    """Return a row per question, in the order in which they are asked."""
    content = questions()
    return [
        [f"`{name}`", DEFAULTS_IN_WORDS.get(name, _choices(default)), content["__prompts__"][name]]
        for name, default in content.items()
        if not name.startswith("_")
    ]


def setting_rows(settings: list[Setting]) -> list[Row]:
    """Return a row per setting: those of the server, those of logging, then each destination's."""
    destinations = list(questions()["_manifest"]["destinations"])

    def group(setting: Setting) -> int:
        name = setting[0]
        owners = [index for index, destination in enumerate(destinations) if name.startswith(f"{destination}_")]
        if owners:
            return owners[-1]
        return -1 if name.startswith(("enable_", "log_")) else -2

    ordered = sorted(settings, key=group)
    return [
        [f"`{name.upper()}`", DEFAULTS_IN_WORDS.get(name, _default(default)), description]
        for name, default, description in ordered
    ]


def command_rows(help_of: Callable[..., str]) -> list[Row]:
    """Return the command's own options, then each verb with its options; `help_of(*verb)` returns a help text."""
    listed = _in_help(help_of())
    rows = [[f"`{name}`", meaning] for name, meaning in listed if name.startswith("-")]
    for verb, meaning in listed:
        if not verb.startswith("-"):
            rows.append([f"`{verb}`", meaning])
            rows += [[f"`{verb} {name}`", text] for name, text in _in_help(help_of(verb))]
    return rows


def optional_lines(rows: list[Row]) -> list[str]:
    """Return the lines of the table of commands, those of an optional verb inside a condition of the template."""
    verbs = {entry["verb"]: name for name, entry in questions()["_manifest"]["options"].items() if "verb" in entry}

    def option_of(row: Row) -> str | None:
        return verbs.get(row[0].strip("`").partition(" ")[0])

    lines = list[str]()
    for option, group in groupby(rows, option_of):
        condition = [f'{{%- if cookiecutter.{option} == "yes" %}}'] if option else []
        lines += [*condition, *lines_of(group), *(["{%- endif %}"] if option else [])]
    return lines


def secret_rows(python: Path, project: Path) -> dict[str, list[Row]]:
    """Return the rows of each table of what redaction recognises."""
    tables: dict[str, list[Row]] = json.loads(run(python, project, LIST_SECRETS, project.name))
    return {
        table: [[name, *(f"`{_without_random_parts(text)}`" for text in texts)] for name, *texts in rows]
        for table, rows in tables.items()
    }


def list_settings(python: Path, project: Path) -> list[Setting]:
    """Return the settings of a project, as its code declares them."""
    found: list[Setting] = json.loads(run(python, project, LIST_SETTINGS, project.name))
    return found


def run(python: Path, project: Path, *arguments: str | Path) -> str:
    """Return the output of a project's program, without line breaks in sentences; raise RuntimeError if it fails."""
    environment = {**os.environ, "COLUMNS": "1000", "PYTHONPATH": str(project / "src")}
    command = [python, "-B", *arguments]
    done = subprocess.run(command, cwd=project.parent, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        msg = f"{arguments} ended with exit code {done.returncode}: {done.stderr}"
        raise RuntimeError(msg)
    return done.stdout


def read_rows(page: Path, head: str) -> list[Row]:
    """Return the cells of the table under a head."""
    _, table, _ = _split(page, head)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()]


def write_rows(page: Path, head: str, rows: list[Row]) -> None:
    """Replace the rows of the table under a head."""
    write_lines(page, head, lines_of(rows))


def lines_of(rows: Iterable[Row]) -> list[str]:
    """Return the lines of a table."""
    return [f"| {' | '.join(row)} |" for row in rows]


def write_lines(page: Path, head: str, lines: list[str]) -> None:
    """Replace the lines of the table under a head."""
    before, _, after = _split(page, head)
    page.write_text(before + "\n".join(lines) + after, encoding="utf-8")


def _split(page: Path, head: str) -> tuple[str, str, str]:
    """Return a page's text up to the rows of a table, the rows, and the rest; raise ValueError without the table."""
    text = page.read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(head)}\n\|[-| ]+\|\n((?:[|{{].*\n)*[|{{].*)", text, re.MULTILINE)
    if found is None:
        msg = f"{page.name} has no table {head}"
        raise ValueError(msg)
    return text[: found.start(1)], found[1], text[found.end(1) :]


def _in_help(text: str) -> list[tuple[str, str]]:
    """Return what a help text lists, except --help."""
    return [(name, meaning) for name, meaning in IN_HELP.findall(text) if name != "-h, --help"]


def _without_random_parts(text: str) -> str:
    """Return an example with an ellipsis instead of each part that is random."""
    return RANDOM_PART.sub("\u2026", text).replace("|", "\\|")


def _choices(default: str | list[str]) -> str:
    answers = default if isinstance(default, list) else [default]
    return ", ".join(f"`{answer}`" for answer in answers if answer)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list):
        value = ",".join(value)
    return "" if value is None or value == "" else f"`{value}`"


if __name__ == "__main__":
    raise SystemExit(main())
