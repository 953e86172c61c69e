"""The documentation's tables say what the manifest, the questions and the code say."""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from scripts.project import ROOT, bake, everything_on, questions
from tests.generation.combinations import EXTREMES, Answers, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Baked, Environment

MANIFEST = questions()["_manifest"]
CONFIGURATION = ROOT / "docs" / "configuration.md"
GUIDE = ROOT / "docs" / "adding-a-destination.md"
TROUBLE = ROOT / "docs" / "troubleshooting.md"
DESCRIBED = {"SQLITE_PATH": "logs.db in the user's data folder"}
"""Defaults that depend on the machine, in words."""

FIXTURES = Path(__file__).with_name("fixtures")


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
            entry["summary"] + ("" if entry["readable"] else "; write-only"),
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


def test_a_projects_own_page_lists_its_commands_and_options(baked: Baked, installed: Environment) -> None:
    """As `--help` does, verb by verb: each with what it means, in the same order."""
    project = baked(everything_on())
    help_of = partial(_output, baked, installed)
    expected = [[f"`{name}`", text] for name, text in _in_help(help_of("--help")) if name.startswith("--")]
    for verb, text in _in_help(help_of("--help")):
        if not verb.startswith("-"):
            options = [[f"`{verb} {name}`", meaning] for name, meaning in _in_help(help_of(verb, "--help"))]
            expected += [[f"`{verb}`", text], *options]
    assert rows(project / "docs" / "configuration.md", "| command | meaning |") == expected


def test_doctor_says_how_to_fix_each_destination(baked: Baked, installed: Environment) -> None:
    """The line after the failure says which of its settings must name what, and which page says more."""
    lines = _output(baked, installed, FIXTURES / "doctor_without_backends.py").splitlines()
    settings = {name.upper() for name, _, _ in _settings(baked, installed)}
    after = {line.split()[1].rstrip(":"): next_line for line, next_line in pairwise(lines) if line.startswith("FAIL")}
    assert after.keys() == MANIFEST["destinations"].keys()
    for name, line in after.items():
        named = re.findall(rf"\b{name.upper()}_[A-Z_]+", line)
        assert named
        assert settings.issuperset(named)
        assert line.startswith("      to fix it: ")
        assert line.endswith(f"; see docs/destinations/{name}.md")
        assert (baked(everything_on()) / "docs" / "destinations" / f"{name}.md").is_file()


@pytest.mark.parametrize("answers", EXTREMES.values(), ids=EXTREMES.keys())
def test_no_link_leads_nowhere(baked: Baked, answers: Answers) -> None:
    """Each relative link of a project's pages, and of the template's, names a file that is there."""
    project = baked(answers)
    pages = [*project.glob("*.md"), *project.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^):]+?)(?:#[^)]*)?\)", page.read_text())]
    assert links
    assert [(page.name, link) for page, link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    "said", ["entries wait", "entries lost", "entries are dropped until this is fixed", "Send the rest with --since"]
)
def test_what_is_said_of_a_destination_in_trouble_is_explained(baked: Baked, said: str) -> None:
    """Whoever looks for the words on stderr finds what they mean and what to do."""
    assert any(said in text for path, text in texts(baked(everything_on())).items() if path.startswith("src/"))
    assert [fix for symptom, _, fix in rows(TROUBLE, "| symptom | cause | fix |") if said in symptom]


def test_the_guides_destination_keeps_the_contract(installed: Environment, tmp_path: Path) -> None:
    """Its module and its line are taken from the guide as they are; the suite and the linters find nothing."""
    module, line, _ = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    project = bake(tmp_path, everything_on())
    package = project / "src" / project.name
    (package / "webhook.py").write_text(module, encoding="utf-8")
    suite = project / "tests" / "logging" / "destinations" / "test_contract.py"
    with _collector() as (url, posted):
        head, brace, rest = suite.read_text(encoding="utf-8").partition("\nWRITE_ONLY: ")
        beginning, end = rest.split("{\n", 1)
        imported = head.replace("\n\nif TYPE", f"\nfrom {project.name}.webhook import WebhookDestination\n\nif TYPE", 1)
        own = re.sub(r"http:[^\"]+", url, line)
        suite.write_text(f"{imported}{brace}{beginning}{{\n{own}{end}", encoding="utf-8")
        options = ("-q", "-k", "webhook", "-p", "no:cacheprovider", "--basetemp", tmp_path / "own")
        _run(installed(project), project, "pytest", *options, suite)
    assert {"one", "two", "499"} <= {entry["message"] for entry in posted}
    for linter in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]):
        _run(installed(project), project, *linter, package / "webhook.py")


@contextmanager
def _collector() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Listen for entries that are posted, and give the address and what was posted there."""
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            posted.extend(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 100  # many first writes come at once

    with Server(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/ingest", posted
        server.shutdown()


def _run(scripts: Path, project: Path, module: str, *arguments: str | Path) -> None:
    """Run a tool of a project's environment, and fail with what it says."""
    done = subprocess.run(
        [scripts / "python", "-m", module, *arguments], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _output(baked: Baked, installed: Environment, *arguments: str | Path) -> str:
    """Return the output of a program of `fixtures/`, or of the project's own command, one line a sentence."""
    project = baked(everything_on())
    program = [arguments[0], project.name] if isinstance(arguments[0], Path) else ["-m", project.name, *arguments]
    command = [installed(project) / "python", "-B", *program]
    wide = {**os.environ, "COLUMNS": "1000"}
    done = subprocess.run(command, cwd=project.parent, capture_output=True, text=True, env=wide, check=False)
    assert done.stderr == ""
    return done.stdout


def _settings(baked: Baked, installed: Environment) -> list[tuple[str, Any, str]]:
    found: list[tuple[str, Any, str]] = json.loads(_output(baked, installed, FIXTURES / "list_settings.py"))
    return found


def _in_help(text: str) -> list[tuple[str, str]]:
    """Return the verbs, arguments and options that a help text lists before the settings, but for --help."""
    found = re.findall(r"^ {2,4}([-{\w].*?)(?: {2,}|\n {10,})(\S.*)$", text.partition("\nsettings:")[0], re.MULTILINE)
    return [(name, meaning) for name, meaning in found if name != "-h, --help"]


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
