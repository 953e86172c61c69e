"""What cannot work is refused: one sentence for each problem, and nothing is left."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cookiecutter.exceptions import FailedHookException

from scripts.project import ROOT, bake, choices, everything_on, questions
from tests.generation.test_answers import literal

if TYPE_CHECKING:
    from tests.conftest import Baked, Environment

SLUGS = {
    "empty": "",
    "blank": " ",
    "padded": " my_server ",
    "digit first": "3d_server",
    "upper case": "My_Server",
    "dashes": "my-server",
    "underscore first": "_server",
    "two underscores": "my__server",
    "accent": "sërver",
    "41 characters": "x" * 41,
    "300 characters": "x" * 300,
    "parent": "../x",
    "parent alone": "..",
    "here": ".",
    "absolute": "/abs/x",
    "nested": "a/b",
    "backslash": "a\\b",
    "newline": "a\nb",
    "quotes": "a'\"b",
    "NUL": "a\0b",
    "keyword": "class",
    "soft keyword": "match",
    "standard library": "logging",
    "standard library of old": "distutils",
    "dependency": "mcp",
    "dependency by another name": "yaml",
    "test folder": "tests",
}
TEXTS = {
    "empty": "",
    "blank": "  ",
    "padded": " x ",
    "newline": "a\nb",
    "carriage return": "a\rb",
    "tab": "a\tb",
    "NUL": "a\0b",
    "escape": "a\x1b[31mb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "lone surrogate": "a\ud800b",
    "right-to-left override": "a\u202eb",
    "zero-width space": "a\u200bb",
    "501 characters": "x" * 501,
}
NUMBERS = {
    "log_retention_days": ["", "x", "-1", "36501", "1.5", "1e3", "1_000", "030", " 3", "3 ", "+3", "٣", "9" * 400],
    "log_retry_attempts": ["0", "101", "", "two"],
    "log_retry_delay_ms": ["-1", "60001", "", "50ms"],
}
EMAILS = [
    "x",
    "@",
    "a@",
    "@b",
    "a b@c.org",
    "a@b@c.org",
    "a@b c",
    "a..b@c.org",
    "a@b.",
    '"a"@b.org>',
    "ä@b.org",
    "a@b\n",
]


def refused(folder: Path, capfd: pytest.CaptureFixture[str], **answers: str) -> list[str]:
    """Bake, expect a refusal that leaves nothing, and return its sentences."""
    before = set(folder.rglob("*"))
    capfd.readouterr()
    with pytest.raises(FailedHookException):
        bake(folder / "baked", {name: text if name in choices() else literal(text) for name, text in answers.items()})
    assert set(folder.rglob("*")) - before <= {folder / "baked"}
    said = capfd.readouterr().err
    assert said.isascii()
    return said.splitlines()


def assert_one_sentence(said: list[str], name: str) -> None:
    """Fail unless the only sentence is about that answer."""
    assert len(said) == 1, said
    assert said[0].startswith(f"{name} is ")
    assert "; it must be " in said[0]
    assert said[0].endswith(".")
    assert len(said[0]) < 250


@pytest.mark.parametrize("slug", SLUGS.values(), ids=SLUGS.keys())
def test_names_that_cannot_be_a_package_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], slug: str
) -> None:
    """Nothing is written, in the target folder or outside of it."""
    assert_one_sentence(refused(tmp_path, capfd, project_slug=slug), "project_slug")
    assert not Path("/abs").exists()


@pytest.mark.parametrize("name", ["project_name", "description", "author_name"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_texts_that_are_not_one_visible_line_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    """So are empty ones and those with blanks at their ends."""
    assert_one_sentence(refused(tmp_path, capfd, project_slug="x", **{name: text}), name)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NUMBERS.items() for value in values])
def test_numbers_that_are_none_or_out_of_range_are_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    """The sentence names the range."""
    said = refused(tmp_path, capfd, **{name: value})
    assert_one_sentence(said, name)
    assert "a whole number between" in said[0]


@pytest.mark.parametrize("value", EMAILS)
def test_malformed_addresses_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str], value: str) -> None:
    """An address that a package's metadata cannot hold stops here."""
    assert_one_sentence(refused(tmp_path, capfd, author_email=value), "author_email")


def test_all_problems_are_told_at_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One sentence for each, in the order of the questions."""
    said = refused(tmp_path, capfd, project_name="", project_slug="../x", author_email="x", log_retention_days="-1")
    assert [line.split(" is ")[0] for line in said] == [
        "project_name", "project_slug", "author_email", "log_retention_days",
    ]  # fmt: skip


def test_the_command_tells_the_problems_first(tmp_path: Path) -> None:
    """Our sentences come before what cookiecutter says about its hook, and the exit code is not 0."""
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"replay_dir: {tmp_path}\ncookiecutters_dir: {tmp_path}\n")
    done = subprocess.run(
        [sys.executable, "-m", "cookiecutter", "--config-file", settings, "--no-input", ROOT, "project_slug=a/b"],
        cwd=tmp_path,
        env={"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.startswith("project_slug is 'a/b'; it must be ")


def test_a_refusal_leaves_an_existing_project_as_it_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Baking again over a project with a wrong answer changes nothing in it."""
    project = bake(tmp_path, {"project_slug": "kept"})
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    with pytest.raises(FailedHookException):
        bake(tmp_path, {"project_slug": "kept", "log_retry_attempts": "0"}, overwrite_if_exists=True)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    assert "log_retry_attempts is '0'" in capfd.readouterr().err


def test_a_refusal_through_a_path_leaves_what_is_there(tmp_path: Path) -> None:
    """A slug that leads to a folder of the user's own does not touch it, even when overwriting is allowed."""
    mine = tmp_path / "mine" / "file"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(FailedHookException):
        bake(tmp_path / "baked", {"project_slug": "../mine"}, overwrite_if_exists=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def test_choices_that_are_not_offered_are_refused(tmp_path: Path) -> None:
    """Cookiecutter itself refuses them; nothing is written."""
    for name in choices():
        with pytest.raises(ValueError, match=name):
            bake(tmp_path / "baked", {name: "no such choice"})
    assert list((tmp_path / "baked").iterdir()) == []


def test_what_is_installed_is_no_name_for_a_package(baked: Baked, environment: Environment) -> None:
    """No module of a project's direct dependencies can be shadowed by the project."""
    project = baked(everything_on())
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [
        *declared["dependencies"],
        *(need for needs in declared["optional-dependencies"].values() for need in needs),
    ]
    names = {re.split(r"[^\w.-]", need)[0].lower() for need in needed} - {declared["name"]}
    program = "import importlib.metadata, json; print(json.dumps(importlib.metadata.packages_distributions()))"
    done = subprocess.run([environment(project) / "python", "-c", program], capture_output=True, text=True, check=True)
    modules = {
        module for module, owners in json.loads(done.stdout).items() if names & {name.lower() for name in owners}
    }
    entries = questions()["_manifest"]["destinations"].values()
    drivers = [need for entry in entries for need in (*entry["requirements"], *entry.get("dev_requirements", []))]
    taken = {*questions()["_taken_slugs"], *(re.split(r"[^\w-]", need)[0].replace("-", "_") for need in drivers)}
    assert {module for module in modules if module.isidentifier() and module[0] != "_"} - taken == set()
