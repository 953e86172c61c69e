"""Answers that could break a file are shown as they were given."""

from __future__ import annotations

import ast
import json
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scripts.project import UV

if TYPE_CHECKING:
    from tests.conftest import Bake, Environment

TEXTS = {
    "double quotes": 'The "best" server',
    "single quotes": "Ada's server",
    "both quotes": """Ada's "best" server""",
    "three double quotes": 'a """ b',
    "three single quotes": "a ''' b",
    "only a quote": '"',
    "backslash at the end": "ends with \\",
    "backslashes": r"C:\new\table \u0041 \x",
    "Jinja expression": "{{ 7 * 7 }} {{ cookiecutter.project_slug }}",
    "Jinja statement": "{% if x %} {# note #} {% raw %}",
    "format braces": "{0} {name} {} }{",
    "percent": "100 % %s %(name)s",
    "dollar": "$HOME ${HOME} $(id) `id`",
    "hash and colon": "# a: b # c: - d",
    "markup": "<script>alert(1)</script> & [x](y) | *z*",
    "emoji": "Rocket 🚀 family 👨‍👩‍👧 flag 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "accents": "Crème brûlée à Zürich, žluťoučký kůň",
    "CJK": "日志服务器 サーバー 로그",
    "right to left": "שרת יומן",
    "ambiguous letters": "Ѕеrvеr – it’s “fine”",  # noqa: RUF001 - ambiguous on purpose
    "a path": "/tmp/x 0.0.0.0",
    "an address": "0.0.0.0",
    "digits first": "3D printing",
    "a keyword": "import",
    "long": "x" * 500,
}
SERVER_NAME = Path(__file__).with_name("fixtures") / "server_name.py"
FIELDS = ("project_name", "description", "author_name")


def literal(text: str) -> str:
    """Return an answer for the command line, which cookiecutter renders, that comes out as the text."""
    return "{{ " + ascii(text) + " }}"


def assert_shown(project: Path, answers: dict[str, str]) -> None:
    """Fail unless the package and its metadata hold the answers as they are, and the linters accept them."""
    shown = _constants(project / "src" / project.name / "choices.py")
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert shown["TITLE"] == answers["project_name"]
    assert shown["DESCRIPTION"] == metadata["description"] == answers["description"]
    assert metadata["authors"][0]["name"] == answers["author_name"]
    assert answers["project_name"] in (project / "README.md").read_text(encoding="utf-8")
    for command in (["check"], ["format", "--check"]):
        ruff: list[str | Path] = [UV.with_name("ruff"), *command, "--no-cache", f"src/{project.name}/choices.py"]
        done = subprocess.run(ruff, cwd=project, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_texts_are_shown_as_they_were_given(bake: Bake, text: str) -> None:
    """Whatever a name or a sentence holds, nothing is cut, escaped twice or executed."""
    project = bake(**dict.fromkeys(FIELDS, literal(text)), project_slug="kept")
    assert_shown(project, dict.fromkeys(FIELDS, text))


def test_an_odd_project_can_be_installed_and_answers(bake: Bake, installed: Environment, tmp_path: Path) -> None:
    """Odd texts survive the wheel's metadata, the command's help and the protocol."""
    odd = """Ada's "best" \\ {0} {{ x }} %s # 🚀 日志"""
    project = bake(**dict.fromkeys(FIELDS, literal(odd)), project_slug="odd", author_email="o'hara+x@example.org")
    scripts = installed(project)
    shown = subprocess.run([scripts / "odd", "--help"], capture_output=True, text=True, check=True).stdout
    assert "".join(odd.split()) in "".join(shown.split())
    done = subprocess.run(
        [scripts / "python", SERVER_NAME, "odd"],
        cwd=project,
        env={"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert odd in json.loads(done.stdout)


def _constants(module: Path) -> dict[str, Any]:
    """Return the names that a module binds to literals."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)]
    return {ast.unparse(node.targets[0]): ast.literal_eval(node.value) for node in assigned}
