"""The hooks are pure and offline, and the same again when they run again."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from scripts.project import ROOT, bake, everything_off, everything_on, questions
from tests.generation.combinations import EXTREMES, Answers, texts
from tests.generation.rendering import context_of, render

if TYPE_CHECKING:
    from tests.conftest import Baked

CODE = re.compile(r"```(?:sh|powershell)\n(.*?)```", re.DOTALL)
"""A block of commands on a page."""
HOOKS = sorted((ROOT / "hooks").glob("*.py"))

OFFLINE = Path(__file__).with_name("fixtures") / "offline"
"""What every Python process of a bake imports at its start: it must neither use the network nor write elsewhere."""


@pytest.mark.parametrize("hook", HOOKS, ids=lambda path: path.name)
def test_hooks_need_only_the_standard_library(hook: Path) -> None:
    """They run in cookiecutter's own interpreter, whichever that is, and their text is ASCII."""
    text = hook.read_text(encoding="ascii")
    imported = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name.name for node in imported for name in node.names if isinstance(node, ast.Import)}
    names |= {node.module or "." for node in imported if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names
    assert not names & {"subprocess", "socket", "urllib"}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda path: path.name)
def test_hooks_hold_jinja_only_where_they_read_the_answers(hook: Path) -> None:
    """Answers are data there: a value pasted into code could break it or run."""
    text = hook.read_text(encoding="ascii")
    assert text.count("{{") == text.count("}}") == 1
    assert 'json.loads(r"""{{ cookiecutter | tojson }}""")' in text
    assert "{%" not in text
    assert "{#" not in text


def test_baking_is_offline_and_writes_into_the_target_only(tmp_path: Path) -> None:
    """Nothing is fetched, and what is written is the project and cookiecutter's own memory."""
    (tmp_path / "settings.yaml").write_text(f"replay_dir: {tmp_path}/replay\ncookiecutters_dir: {tmp_path}/cc\n")
    home = tmp_path / "home"
    home.mkdir()
    command: list[str | Path] = ["-m", "cookiecutter", "--config-file", tmp_path / "settings.yaml", "--no-input", ROOT]
    done = subprocess.run(
        [sys.executable, *command, "--output-dir", tmp_path / "out"],
        cwd=home,
        env={
            "HOME": str(home),
            "PYTHONPATH": str(OFFLINE),
            "ALLOWED": str(tmp_path),
            "TMPDIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(home.iterdir()) == []
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["my_mcp_server"]


@pytest.mark.parametrize("answers", EXTREMES.values(), ids=EXTREMES.keys())
def test_baking_again_changes_nothing(tmp_path: Path, answers: Answers) -> None:
    """Updaters run the hooks again over what is there."""
    project = bake(tmp_path, answers)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    bake(tmp_path, answers, overwrite_if_exists=True)
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_baking_again_keeps_what_the_user_added(tmp_path: Path) -> None:
    """Files stay, unless they are in the folder of a destination or an option that is no longer chosen."""
    project = bake(tmp_path, everything_on())
    folders = {project, *(path.parent for path in project.rglob("*"))}
    manifest = questions()["_manifest"]
    folders = {folder for folder in folders if not set(manifest["destinations"]) & set(folder.parts)}
    for pattern in [pattern for option in manifest["options"].values() for pattern in option.get("folders", [])]:
        folders -= {folder for own in project.glob(pattern) for folder in (own, *own.rglob("*"))}
    folders |= {project / "convex"}
    folders |= {project / "src" / "other" / "tools"}
    mine = {folder / name: f"{folder}" for folder in folders for name in ("mine.py", "mine.ts", "mine.md", ".env")}
    for path, text in mine.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in sorted((project / "src" / project.name / "tools").glob("*.py")):
        shutil.copy(path, project / "src" / "other" / "tools")
    others = {path: path.read_text() for path in (project / "src" / "other").rglob("*.py")}
    bake(tmp_path, everything_off(), overwrite_if_exists=True)
    assert {path: path.read_text() for path in (*mine, *others)} == {**mine, **others}


def test_less_can_be_chosen_later(tmp_path: Path) -> None:
    """Baking less over more leaves what baking less alone gives."""
    bake(tmp_path / "more", everything_on())
    project = bake(tmp_path / "more", everything_off(), overwrite_if_exists=True)
    assert texts(project) == texts(bake(tmp_path / "less", everything_off()))


def test_the_last_words_are_the_next_commands(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The hook prints how to call a tool and see the record, with uv and without, in ASCII."""
    bake(tmp_path, {"project_slug": "a_server"})
    said = capfd.readouterr().out
    assert said.isascii()
    assert said == f"{next_steps({'project_slug': 'a_server'}, platform=os.name)}\n"


@pytest.mark.parametrize(
    ("answers", "verbs"),
    [
        ({}, ["call echo text=hello", "logs"]),
        ({"local_log_destination": "none"}, ["call echo text=hello", "doctor"]),
        ({"include_example_tools": "no"}, ["doctor"]),
    ],
    ids=["default", "nothing kept here", "no example tools"],
)
def test_the_readme_has_the_same_commands(baked: Baked, answers: Answers, verbs: list[str]) -> None:
    """Those of the hook on this platform and on Windows; none needs a tool or a record that the project lacks."""
    readme = (baked(answers) / "README.md").read_text(encoding="utf-8")
    with_uv, with_pip, on_windows = (block.splitlines() for block in re.findall(CODE, readme)[:3])
    assert commands_of(next_steps(answers, platform="posix")) == [with_uv, with_pip]
    assert commands_of(next_steps(answers, platform="nt")) == [with_uv, on_windows]
    assert with_uv == [f"uv run my-mcp-server {verb}" for verb in verbs]
    assert with_pip[2:] == [f".venv/bin/my-mcp-server {verb}" for verb in verbs]
    assert on_windows[2:] == [f".venv\\Scripts\\my-mcp-server {verb}" for verb in verbs]


def test_getting_started_has_the_same_commands() -> None:
    """At most four from cookiecutter to the record of the first call."""
    with_uv, with_pip, *_ = re.findall(CODE, (ROOT / "docs" / "getting-started.md").read_text(encoding="utf-8"))
    first, enter, *rest = with_uv.splitlines()
    assert first.startswith("cookiecutter gh:")
    assert enter == "cd my_mcp_server"
    assert commands_of(next_steps({}, platform="posix")) == [rest, with_pip.splitlines()]
    assert 2 + len(rest) <= 4


def next_steps(answers: Answers, *, platform: str) -> str:
    """Return what the hook prints on a platform."""
    hook: dict[str, Any] = {"__name__": "hook"}
    exec(render("hooks/post_gen_project.py", context_of(answers)), hook)
    hook["os"] = SimpleNamespace(name=platform)
    printed: str = hook["next_steps"]()
    return printed


def commands_of(printed: str) -> list[list[str]]:
    """Return the commands with uv and those without, except the one that enters the folder."""
    blocks = [[line.strip() for line in block.splitlines() if line.startswith("  ")] for block in printed.split("\n\n")]
    assert {block[0] for block in blocks} == {"cd my_mcp_server"}
    return [block[1:] for block in blocks]
