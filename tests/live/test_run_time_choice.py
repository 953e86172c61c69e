"""Which destinations a project with everything on uses is said by its environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from scripts.project import questions
from tests.support.processes import LineServer

from .conftest import PRODUCTION, MakeTarget
from .targets import SQLiteTarget, unique

if TYPE_CHECKING:
    from tests.support.project import Project

WITHOUT_MODULE = Path(__file__).with_name("fixtures") / "without_module"
DESTINATIONS = questions()["_manifest"]["destinations"]
PRODUCTION_ONLY = {"ENABLE_LOCAL_LOGGING": "false", "ENABLE_PRODUCTION_LOGGING": "true"}
NAMES = sorted(name for name, entry in DESTINATIONS.items() if entry["role"] == "production")
VALID = f"valid are: {', '.join(NAMES)}, package.module:Class."
NOT_LOADED = "which cannot be loaded:"


def test_several_destinations_all_get_every_entry(project: Project, make_target: MakeTarget, tmp_path: Path) -> None:
    """LOG_DESTINATION_TYPE=kafka,postgres: a tool call is in both, and on this machine; nowhere twice."""
    kafka, postgres, text = make_target("kafka"), make_target("postgres"), unique()
    settings = {**kafka.settings, **postgres.settings, "LOG_DESTINATION_TYPE": "kafka, postgres"}
    settings |= {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_DRAIN_TIMEOUT_MS": "10000"}  # Kafka makes the topic first

    with LineServer(project, tmp_path, **settings) as server:
        server.call("echo", text=text)
        assert server.end() == 0

    for target in (kafka, postgres, SQLiteTarget(server.database)):
        assert target.find(text, "output_summary") == [(text,)], target.name


def test_a_class_of_ones_own_is_a_destination(project: Project, tmp_path: Path) -> None:
    """LOG_DESTINATION_TYPE=package.module:Class is enough, also beside a known name."""
    settings = {**PRODUCTION_ONLY, "LOG_DESTINATION_TYPE": "own_destination:JsonLines"}

    with LineServer(project, tmp_path, **settings) as server:
        server.call("echo", text="hello")
        assert server.end() == 0

    lines = (tmp_path / "own.jsonl").read_text(encoding="utf-8").splitlines()
    assert [entry["output_summary"] for entry in map(json.loads, lines) if entry["tool_name"] == "echo"] == ["hello"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("mongodb", f"; {VALID}"),
        ("", f"; {VALID}"),
        ("no_such_module:Class", f", {NOT_LOADED} ModuleNotFoundError: No module named 'no_such_module'."),
        (
            "own_destination:Missing",
            f", {NOT_LOADED} AttributeError: module 'own_destination' has no attribute 'Missing'.",
        ),
        ("own_destination:NoDestination", ", which makes a NoDestination, not a LogDestination."),
    ],
    ids=["unknown", "empty", "no-module", "no-class", "no-destination"],
)
def test_a_type_that_is_none_is_one_sentence(project: Project, tmp_path: Path, value: str, reason: str) -> None:
    """Where nothing else works the command ends with it; where this machine's log does, the server runs on."""
    settings, sentence = (
        {**PRODUCTION_ONLY, "LOG_DESTINATION_TYPE": value},
        f"LOG_DESTINATION_TYPE is {value!r}{reason}",
    )

    done = project.run(tmp_path, **settings)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{sentence}\n")

    _runs_on(project, tmp_path, sentence, **settings)


@pytest.mark.parametrize("name", [name for name in PRODUCTION if DESTINATIONS[name]["requirements"]])
def test_a_missing_driver_is_one_sentence(project: Project, make_target: MakeTarget, tmp_path: Path, name: str) -> None:
    """It holds the install command, with the bounds; the other destinations work, as does the server."""
    requirement = Requirement(DESTINATIONS[name]["requirements"][0])  # the driver; its bounds in the wheel's order
    driver = requirement.name.replace("-", "_")
    sentence = f'The {name} destination needs the package {driver}: run pip install "{requirement}"'
    settings = {**make_target(name).alone, "WITHOUT_MODULE": driver, "PYTHONPATH": str(WITHOUT_MODULE)}

    done = project.run(tmp_path, **settings)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{sentence}\n")

    _runs_on(project, tmp_path, sentence, **settings)


@pytest.mark.parametrize(
    ("local", "production"), [("true", "false"), ("false", "true"), ("true", "true"), ("false", "false")]
)
def test_switches_are_obeyed(
    project: Project, make_target: MakeTarget, tmp_path: Path, local: str, production: str
) -> None:
    """ENABLE_LOCAL_LOGGING and ENABLE_PRODUCTION_LOGGING each decide on their own; stderr shows a call in any case."""
    target, text = make_target("postgres"), unique()
    switches = {"ENABLE_LOCAL_LOGGING": local, "ENABLE_PRODUCTION_LOGGING": production}

    with LineServer(project, tmp_path, **{**target.alone, **switches}) as server:
        assert server.call("echo", text=text) == text
        assert server.end() == 0

    assert server.database.exists() is (local == "true")
    assert SQLiteTarget(server.database).find(text, "output_summary") == [(text,)] * (local == "true")
    assert target.find(text, "output_summary") == [(text,)] * (production == "true")
    assert "echo: success in" in server.stderr_text()


def _runs_on(project: Project, folder: Path, sentence: str, **settings: str) -> None:
    """Check that a server with this machine's log beside what does not work says so once and answers."""
    with LineServer(project, folder, **{**settings, "ENABLE_LOCAL_LOGGING": "true"}) as server:
        assert server.call("echo", text="hello") == "hello"
        assert server.end() == 0

    assert server.stderr_text().count(sentence) == 1, server.stderr_text()
    assert "Traceback" not in server.stderr_text()
    assert SQLiteTarget(server.database).find("hello", "output_summary") == [("hello",)]
