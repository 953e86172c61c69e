"""The documentation's tables say what the manifest, the questions and the code say."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from scripts.project import ROOT, everything_on, questions
from tests.generation.combinations import EXTREMES, Answers, texts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Baked, Environment

MANIFEST = questions()["_manifest"]
CONFIGURATION = ROOT / "docs" / "configuration.md"
DESCRIBED = {"SQLITE_PATH": "logs.db in the user's data folder"}
"""Defaults that depend on the machine, in words."""

SETTINGS = """
import json
from {slug}.config import ServerConfig
print(json.dumps([[name, field.get_default(), field.description] for name, field in ServerConfig.model_fields.items()],
                 default=lambda value: getattr(value, "get_secret_value", value.__str__)()))
"""


def rows(page: Path, head: str) -> list[list[str]]:
    """Return the cells of the table under a head."""
    _, _, after = page.read_text(encoding="utf-8").partition(f"\n{head}\n")
    lines = after.partition("\n\n")[0].splitlines()[1:]
    assert lines, f"{page.name} has no table {head}"
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_readme_lists_the_destinations_of_the_manifest() -> None:
    """One row each: what it is called, how it is chosen, what it needs."""
    expected = [
        [
            entry["label"],
            f"`{name}`",
            entry["role"],
            ", ".join(f"`{requirement}`" for requirement in entry["requirements"]),
            entry["summary"] + ("" if entry["readable"] else "; written only"),
        ]
        for name, entry in MANIFEST["destinations"].items()
    ]
    assert rows(ROOT / "README.md", "| destination | answer | role | driver | about |") == expected


def test_every_question_is_documented() -> None:
    """In the order of the questions, with their defaults, choices and wording."""
    asked = {name: default for name, default in questions().items() if not name.startswith("_")}
    expected = [[f"`{name}`", _answers(default), questions()["__prompts__"][name]] for name, default in asked.items()]
    found = rows(CONFIGURATION, "| answer | default | question |")
    assert [[name, default, question.replace("`", "")] for name, default, question in found] == [
        [name, "from the name" if name == "`project_slug`" else default, _wording(prompt)]
        for name, default, prompt in expected
    ]


def test_every_setting_is_documented(baked: Baked, installed: Environment) -> None:
    """With its default and its meaning."""
    expected = [[f"`{name.upper()}`", _default(name, value), text] for name, value, text in _settings(baked, installed)]
    assert sorted(rows(CONFIGURATION, "| setting | default | meaning |")) == sorted(expected)


def test_a_projects_own_pages_name_its_settings(baked: Baked, installed: Environment) -> None:
    """Each setting is in a table of a page; no table has one that is not there."""
    names = {name.upper() for name, _, _ in _settings(baked, installed)}
    pages = [text for path, text in texts(baked(everything_on())).items() if path.startswith("docs/")]
    assert {name for text in pages for name in _first_cells(text)} == names


@pytest.mark.parametrize("answers", EXTREMES.values(), ids=EXTREMES.keys())
def test_no_link_leads_nowhere(baked: Baked, answers: Answers) -> None:
    """Each relative link of a project's pages, and of the template's, names a file that is there."""
    project = baked(answers)
    pages = [*project.glob("*.md"), *project.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^):]+?)(?:#[^)]*)?\)", page.read_text())]
    assert links
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


def _settings(baked: Baked, installed: Environment) -> list[tuple[str, Any, str]]:
    project = baked(everything_on())
    program = SETTINGS.format(slug=project.name)
    found: list[tuple[str, Any, str]] = json.loads(
        subprocess.run(
            [installed(project) / "python", "-B", "-c", program],
            cwd=project.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )
    return found


def _first_cells(text: str) -> list[str]:
    return [
        name for cell in re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE) for name in re.findall("`([A-Z_]+)`", cell)
    ]


def _answers(default: str | list[str]) -> str:
    answers = default if isinstance(default, list) else [default]
    return ", ".join(f"`{answer}`" for answer in answers if answer)


def _default(name: str, value: Any) -> str:
    if name.upper() in DESCRIBED:
        return f"`{DESCRIBED[name.upper()]}`"
    text = str(value).lower() if isinstance(value, bool) else ",".join(value) if isinstance(value, list) else value
    return f"`{text}`" if text not in (None, "") else ""


def _wording(prompt: str | dict[str, str]) -> str:
    return prompt["__prompt__"] if isinstance(prompt, dict) else prompt
