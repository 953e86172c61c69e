"""The manifest lists what can be chosen: the questions agree with it, and one entry adds a destination."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest

from scripts.project import ROOT, bake, choices, questions
from tests.generation.combinations import texts

SOURCE = ROOT / "{{cookiecutter.project_slug}}"
MANIFEST = questions()["_manifest"]
REQUIRED = {"role", "label", "summary", "class", "requirements", "readable", "stores_once", "answers"}
PACKAGE = Path("src", "{{cookiecutter.project_slug}}")


def test_the_questions_offer_the_destinations_of_the_manifest() -> None:
    """Each is offered where its role belongs; beside them there are only `none` and `all`."""
    for role in ("local", "production"):
        names = [name for name, entry in MANIFEST["destinations"].items() if entry["role"] == role]
        offered = choices()[f"{role}_log_destination"]
        assert sorted(set(offered) - {"none", "all"}) == sorted(names)
        assert "none" in offered
        assert ("all" in offered) == (role == "production" and len(names) > 1)


def test_the_questions_offer_the_options_of_the_manifest() -> None:
    """What can be left out is in the manifest, and what is in the manifest can be left out."""
    offered = {name for name, answers in choices().items() if set(answers) == {"yes", "no"}}
    assert offered == set(MANIFEST["options"])


def test_every_question_is_asked_in_words() -> None:
    """Each has a wording, which holds nothing that rich takes for markup."""
    asked = [name for name in questions() if not name.startswith("_")]
    assert list(questions()["__prompts__"]) == asked
    assert not [wording for wording in questions()["__prompts__"].values() if "[" in wording]


@pytest.mark.parametrize("name", MANIFEST["destinations"])
def test_destinations_are_whole(name: str) -> None:
    """Each has the required keys, a folder, tests, a page, known questions, and no path that matches nothing."""
    entry = MANIFEST["destinations"][name]
    assert entry.keys() >= REQUIRED
    assert (SOURCE / PACKAGE / "logging" / "destinations" / name / "destination.py").is_file()
    assert (SOURCE / "docs" / "destinations" / f"{name}.md").is_file()
    tests = SOURCE / "tests" / "logging" / "destinations"
    assert (tests / name).is_dir() or (tests / f"test_{name}.py").is_file()
    asked = {*entry["answers"], *entry.get("secrets", [])}
    assert asked <= set(questions())
    assert set(entry.get("rules", {})) <= asked
    assert [pattern for pattern in entry.get("paths", []) if not list(SOURCE.glob(pattern))] == []


@pytest.mark.parametrize("name", MANIFEST["options"])
def test_options_are_whole(name: str) -> None:
    """Each has files that are left out with it, and perhaps whole folders."""
    paths, folders = MANIFEST["options"][name]["paths"], MANIFEST["options"][name].get("folders", [])
    assert paths
    assert [pattern for pattern in (*paths, *folders) if not list(SOURCE.glob(pattern))] == []
    assert [folder for pattern in folders for folder in SOURCE.glob(pattern) if not folder.is_dir()] == []


def test_patterns_match_files_only() -> None:
    """A folder is left out by naming its files, so that files of the user's own in it stay."""
    entries = [*MANIFEST["destinations"].values(), *MANIFEST["options"].values()]
    patterns = [pattern for entry in entries for pattern in entry.get("paths", [])]
    assert [path for pattern in patterns for path in SOURCE.glob(pattern) if not path.is_file()] == []


def test_a_destination_without_a_driver_has_no_extra(tmp_path: Path) -> None:
    """An extra without requirements would install nothing."""
    template = _copy_of_template(tmp_path / "template")
    _add_nowhere(template, "tests/logging/destinations/test_nowhere.py", requirements=[])

    for production in ("nowhere", "all"):
        project = bake(tmp_path / production, {"production_log_destination": production}, template=template)
        declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert "nowhere" not in str(declared["optional-dependencies"])


@pytest.mark.parametrize("answer", ["nowhere", "kafka", "all"])
@pytest.mark.parametrize("stores_once", [True, False])
def test_the_readme_names_destinations_that_keep_duplicates(tmp_path: Path, answer: str, *, stores_once: bool) -> None:
    """The manifest's `stores_once` of each chosen destination decides."""
    template = _copy_of_template(tmp_path / "template")
    _add_nowhere(template, "tests/logging/destinations/test_nowhere.py", stores_once=stores_once)

    project = bake(tmp_path / "project", {"production_log_destination": answer}, template=template)

    duplicating = ["Apache Kafka"] * (answer in {"kafka", "all"}) + ["Nowhere"] * (
        answer != "kafka" and not stores_once
    )
    expected = f"in {' and '.join(duplicating)}, duplicates have" if duplicating else ", without duplicates |"
    assert expected in (project / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("test", ["test_nowhere.py", "nowhere/test_destination.py"])
def test_one_entry_and_its_files_add_a_destination(tmp_path: Path, test: str) -> None:
    """A new destination can be chosen, and leaves no trace in a project that does not choose it."""
    template = _copy_of_template(tmp_path / "template")
    files = _add_nowhere(template, f"tests/logging/destinations/{test}")

    without = texts(bake(tmp_path / "without", template=template))
    assert without == texts(bake(tmp_path / "before"))

    project = bake(tmp_path / "with", {"production_log_destination": "nowhere"}, template=template)
    added = texts(project)
    assert set(added) - set(without) == {"compose.yaml", *(path.replace("*", project.name) for path in files)}
    destinations = added[f"src/{project.name}/logging/destinations/__init__.py"]
    assert "from .nowhere import NowhereDestination, NowhereSettings" in destinations
    assert '"nowhere": NowhereDestination' in destinations
    assert "nowhere-driver>=1,<2" in added["pyproject.toml"]
    assert '"nowhere_url": "http://nowhere"' in added[f"src/{project.name}/choices.py"]


def _copy_of_template(template: Path) -> Path:
    template.mkdir()
    for name in ("cookiecutter.json", "hooks", SOURCE.name):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, template / name)
    return template


def _add_nowhere(template: Path, test: str, **changed: object) -> list[str]:
    """Add a destination to a copy of the template as the guide describes it, with changed keys; return its files."""
    content = questions(template)
    content["production_log_destination"].append("nowhere")
    content["nowhere_url"] = "http://nowhere"
    content["_manifest"]["destinations"]["nowhere"] = {
        "role": "production",
        "label": "Nowhere",
        "class": "Nowhere",
        "requirements": ["nowhere-driver>=1,<2"],
        "summary": "goes nowhere",
        "readable": False,
        "stores_once": False,
        "answers": ["nowhere_url"],
        "paths": ["nowhere/*.txt"],
        "service": {"image": "nowhere"},
        **changed,
    }
    (template / "cookiecutter.json").write_text(json.dumps(content))
    folder = "src/*/logging/destinations/nowhere"
    files = [
        f"{folder}/__init__.py",
        f"{folder}/destination.py",
        test,
        "docs/destinations/nowhere.md",
        "nowhere/extra.txt",
    ]
    for name in files:
        path = template / SOURCE.name / name.replace("*", SOURCE.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('"""Nowhere."""\n')
    return files
