"""The documentation's tables say what the manifest, the questions and the code say."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from scripts import tables
from scripts.project import ROOT, bake, everything_on, questions
from scripts.tables import read_rows
from tests.generation.combinations import EXTREMES, Answers, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Baked, Environment

MANIFEST = questions()["_manifest"]
GUIDE = ROOT / "docs" / "adding-a-destination.md"
START = ROOT / "docs" / "getting-started.md"
TROUBLE = ROOT / "docs" / "troubleshooting.md"
FIXTURES = Path(__file__).with_name("fixtures")


FIELDS_HEAD = "| field | meaning | OpenTelemetry |"
OUTDATED = "run `make tables`"
OWN_TEST = """from {package}.tools.add import add


def test_add():
    assert add(2, 3) == 5
"""


def test_the_readme_lists_the_destinations_of_the_manifest() -> None:
    """One row each: what it is called, how it is chosen, what it needs."""
    assert read_rows(tables.README, tables.DESTINATIONS_HEAD) == tables.destination_rows(), OUTDATED


def test_every_question_is_documented() -> None:
    """In the order of the questions, with their defaults, choices and wording."""
    assert read_rows(tables.CONFIGURATION, tables.QUESTIONS_HEAD) == tables.question_rows(), OUTDATED


def test_every_setting_is_documented(baked: Baked, installed: Environment) -> None:
    """With its default and its meaning."""
    expected = tables.setting_rows(_settings(baked, installed))
    assert read_rows(tables.CONFIGURATION, tables.SETTINGS_HEAD) == expected, OUTDATED


def test_a_projects_own_pages_name_its_settings(baked: Baked, installed: Environment) -> None:
    """Each setting is in a table of a page; no table has one that is not there."""
    names = {name.upper() for name, _, _ in _settings(baked, installed)}
    pages = [text for path, text in texts(baked(everything_on())).items() if path.startswith("docs/")]
    assert {name for text in pages for name in _first_cells(text)} == names


def test_a_projects_own_page_lists_its_commands_and_options(baked: Baked, installed: Environment) -> None:
    """As `--help` does, verb by verb: each with what it means, in the same order."""
    page = baked(everything_on()) / "docs" / "configuration.md"

    def help_of(*verb: str) -> str:
        return _output(baked, installed, "-m", page.parents[1].name, *verb, "--help")

    assert read_rows(page, tables.COMMANDS_HEAD) == tables.command_rows(help_of), OUTDATED


def test_a_projects_own_page_lists_what_redaction_recognises(baked: Baked, installed: Environment) -> None:
    """Each row of its tables, with the examples that its tests use."""
    project = baked(everything_on())
    for table, rows in tables.secret_rows(installed(project) / "python", project).items():
        assert read_rows(project / "docs" / "redaction.md", tables.SECRET_HEADS[table]) == rows, OUTDATED


def test_every_field_of_an_entry_is_documented(baked: Baked, installed: Environment) -> None:
    """In the order of the entry."""
    page = baked(everything_on()) / "docs" / "configuration.md"
    cells = [row[0] for row in read_rows(page, FIELDS_HEAD)]
    documented = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert documented == _output(baked, installed, FIXTURES / "list_fields.py", page.parents[1].name).split()


def test_doctor_says_how_to_fix_each_destination(baked: Baked, installed: Environment) -> None:
    """The line after the failure says which of its settings must name what, and which page says more."""
    lines = _output(baked, installed, FIXTURES / "doctor_without_backends.py", baked(everything_on()).name).splitlines()
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
    """Each relative link of a project's pages, and of the template's, names an existing file and heading."""
    project = baked(answers)
    pages = [*project.glob("*.md"), *project.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^):]+)\)", page.read_text(encoding="utf-8"))]
    assert links
    assert [(page.name, link) for page, link in links if not _leads_somewhere(page, link)] == []


@pytest.mark.parametrize(
    "said", ["entries wait", "entries lost", "entries are dropped until this is fixed", "Send the rest with --since"]
)
def test_what_is_said_of_a_destination_in_trouble_is_explained(baked: Baked, said: str) -> None:
    """Whoever looks for the words on stderr finds what they mean and what to do."""
    assert any(said in text for path, text in texts(baked(everything_on())).items() if path.startswith("src/"))
    assert [fix for symptom, _, fix in read_rows(TROUBLE, "| symptom | cause | fix |") if said in symptom]


def test_what_the_owner_writes_passes_the_projects_own_lint(
    baked: Baked, installed: Environment, tmp_path: Path
) -> None:
    """The tool that the README and getting-started show, and a plain test of it, as they are."""
    tool = re.findall(r"```python\n(.*?)```", START.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert f"```python\n{tool}```" in (baked({}) / "README.md").read_text(encoding="utf-8")
    project = bake(tmp_path, {})
    (project / "src" / project.name / "tools" / "add.py").write_text(tool, encoding="utf-8")
    (project / "tests" / "test_add.py").write_text(OWN_TEST.format(package=project.name), encoding="utf-8")
    for linter in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        _run(installed(project), project, *linter)
    _run(installed(project), project, "pytest", "-q", "-p", "no:cacheprovider", "tests/test_add.py")


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
    """Return the output of a program in the environment of a project with everything on."""
    project = baked(everything_on())
    return tables.run(installed(project) / "python", project, *arguments)


def _settings(baked: Baked, installed: Environment) -> list[tables.Setting]:
    project = baked(everything_on())
    return tables.list_settings(installed(project) / "python", project)


def _leads_somewhere(page: Path, link: str) -> bool:
    """Tell whether a link from a page names an existing file and, after a #, one of its headings."""
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings: lower case, hyphens for spaces, no punctuation."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def _first_cells(text: str) -> list[str]:
    return [
        name for cell in re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE) for name in re.findall("`([A-Z_]+)`", cell)
    ]
