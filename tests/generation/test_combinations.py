"""Whatever is chosen: the project is whole, clean, and holds nothing of what was not chosen."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import tomllib
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from scripts.project import UV, choices, questions
from tests.generation.combinations import ALONE, EXTREMES, Answers, every_pair, is_chosen, texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Bake, Baked, Environment

MANIFEST = questions()["_manifest"]
PROJECTS = {**EXTREMES, **ALONE, **every_pair()}
PARSERS: dict[str, Callable[[str], object]] = {
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".yml": yaml.safe_load,
    ".yaml": yaml.safe_load,
}
IMPORTED_AS = {"pyyaml": "yaml"}
"""Requirements whose module has another name."""
LONGEST_SLUG = "a_slug_of_forty_characters_and_not_one_x"

every_project = pytest.mark.parametrize("answers", PROJECTS.values(), ids=PROJECTS.keys())


def test_the_projects_hold_every_pair_of_choices() -> None:
    """No two answers can be given together that are not tested together."""
    offered = choices()
    for one, other in combinations(offered, 2):
        tested = {(row[one], row[other]) for row in every_pair().values()}
        assert tested == {(first, second) for first in offered[one] for second in offered[other]}


@every_project
def test_every_file_parses(baked: Baked, answers: Answers) -> None:
    """Python, TOML, JSON and YAML are what they claim to be."""
    for path, text in texts(baked(answers)).items():
        PARSERS.get(Path(path).suffix, str)(text)


@every_project
def test_no_jinja_is_left(baked: Baked, answers: Answers) -> None:
    """Braces are left only where they mean something to Python or to GitHub."""
    for path, text in texts(baked(answers)).items():
        residue = re.findall(r"\{%|%\}|\{#|cookiecutter\.|(?<!\$)\{\{ ", text)
        assert not residue, path


@every_project
def test_nothing_empty_is_left(baked: Baked, answers: Answers) -> None:
    """No folder is empty and no file, but for the marker of typed packages."""
    project = baked(answers)
    empty = [path for path in project.rglob("*") if path.is_dir() and not any(path.iterdir())]
    empty += [path for path in project.rglob("*") if path.is_file() and not path.stat().st_size]
    assert [path.name for path in empty] == ["py.typed"]


@every_project
def test_no_word_of_what_was_not_chosen_is_left(baked: Baked, answers: Answers) -> None:
    """Neither a path nor a text names a destination, a driver, a setting or a module that was not chosen."""
    unwanted = re.compile("|".join(_unwanted_words(answers)) or r"(?!)", re.IGNORECASE)
    for path, text in texts(baked(answers)).items():
        assert not unwanted.search(path)
        assert [line for line in text.splitlines() if unwanted.search(line)] == [], path


@every_project
def test_the_extras_are_the_production_destinations_that_were_chosen(baked: Baked, answers: Answers) -> None:
    """Each with what the plain installation brings as well, and one more for all of them where there are several."""
    declared = tomllib.loads((baked(answers) / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    chosen = {
        name: entry["requirements"]
        for name, entry in MANIFEST["destinations"].items()
        if entry["role"] == "production" and entry["requirements"] and is_chosen(name, entry["role"], answers)
    }
    everything = {"all-destinations": [f"{declared['name']}[{','.join(chosen)}]"]} if len(chosen) > 1 else {}
    extras = dict(declared["optional-dependencies"])
    assert extras.pop("dev")
    assert extras == {**chosen, **everything}
    assert {need for needs in chosen.values() for need in needs} <= {*declared["dependencies"]}


@every_project
def test_what_is_required_is_imported(baked: Baked, answers: Answers) -> None:
    """No requirement of the plain installation is there for a module that was not chosen."""
    project = baked(answers)
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.split(r"[^\w-]", requirement)[0] for requirement in declared}
    source = "".join(text for path, text in texts(project).items() if path.startswith("src/"))
    imported = set(re.findall(r"^ *(?:from|import) (\w+)", source, re.MULTILINE))
    assert {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names} <= imported


@every_project
def test_database_files_are_expected_only_where_they_are_made(baked: Baked, answers: Answers) -> None:
    """The image has a volume for them, and git ignores them, exactly if entries are kept in one."""
    project = baked(answers)
    has_file = is_chosen("sqlite", "local", answers)
    assert ("/data" in (project / "Dockerfile").read_text(encoding="utf-8")) == has_file
    assert ("*.db\n" in (project / ".gitignore").read_text(encoding="utf-8")) == has_file


@every_project
def test_the_same_answers_give_the_same_bytes(baked: Baked, bake: Bake, answers: Answers) -> None:
    """Nothing of a project depends on when, where or how often it is made."""
    assert texts(bake(**answers)) == texts(baked(answers))


@every_project
def test_ruff_finds_nothing(baked: Baked, answers: Answers) -> None:
    """The project passes the linter and the formatter as it is configured there."""
    project = baked(answers)
    _ruff(project, "check")
    _ruff(project, "format", "--check")


@pytest.mark.parametrize("slug", ["x", LONGEST_SLUG])
@pytest.mark.parametrize("answers", EXTREMES.values(), ids=EXTREMES.keys())
def test_short_and_long_names_stay_well_formatted(bake: Bake, answers: Answers, slug: str) -> None:
    """The length of the package's name breaks no line."""
    project = bake(**answers, project_slug=slug)
    _ruff(project, "check")
    _ruff(project, "format", "--check")


def _types() -> dict[str, Answers]:
    """Return the projects in each of which another set of modules meets."""
    options = {f"{name} off": {**EXTREMES["everything"], name: "no"} for name in MANIFEST["options"]}
    return {**PROJECTS, **options}


@pytest.mark.parametrize("answers", _types().values(), ids=_types().keys())
def test_mypy_finds_nothing(
    baked: Baked, environment: Environment, answers: Answers, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The package passes the strict type checker as it is configured there, with only its own drivers installed."""
    project = baked(answers)
    cache = tmp_path_factory.getbasetemp() / "mypy"
    done = subprocess.run(
        [environment(project) / "mypy", "--cache-dir", cache],
        cwd=project,
        env={**os.environ, "MYPYPATH": "src"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _unwanted_words(answers: Answers) -> list[str]:
    words: list[str] = []
    for name, entry in MANIFEST["destinations"].items():
        if not is_chosen(name, entry["role"], answers):
            drivers = [re.split(r"[^\w-]", requirement)[0] for requirement in entry["requirements"]]
            words += [
                re.escape(word)
                for word in (name, entry["label"], *entry["answers"], *entry.get("secrets", []), *drivers)
            ]
    for name, option in MANIFEST["options"].items():
        if answers.get(name, choices()[name][0]) == "no":
            modules = {Path(path).stem for path in option["paths"]} - {"*", "__init__"}
            words += [rf"\b{re.escape(word)}\b" for word in (*modules, option["summary"])]
    return words


def _ruff(project: Path, *arguments: str) -> None:
    ruff = UV.with_name("ruff")
    done = subprocess.run(
        [ruff, *arguments, "--no-cache", "."], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
