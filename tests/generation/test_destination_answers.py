"""Answers about destinations are refused where, and only where, the project would refuse them when it starts."""

from __future__ import annotations

import json
import subprocess
from itertools import zip_longest
from typing import TYPE_CHECKING

import pytest

from scripts.project import bake, everything_on, questions
from tests.generation.test_answers import literal
from tests.generation.test_refusals import assert_one_sentence, refused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Baked, Environment

REFUSED = {
    "kafka_bootstrap_servers": [
        "", "localhost", "localhost:", "localhost:x", "localhost:70000", "localhost:0", "a:1 b:2", "http://a:1",
    ],
    "kafka_topic": ["", ".", "..", "a b", "a/b", "ä", "x" * 250],
    "elasticsearch_hosts": [
        "", "localhost", "localhost:x", "localhost:70000", "http:9200", "a:1,b", "ftp://a", "http://", "http://a b",
        "http://es.example.org", "https://a,http://b", "https://a:0x", "https://a:70000", "https://[1::2::3]",
        "https://a?b=c", "https://a#b", "u:geheim@a:9200",
    ],
    "elasticsearch_index_prefix": ["", "Upper", "-a", "_a", "a b", "a*", "a/b", "x" * 245],
    "postgres_dsn": [
        "", "localhost", "mysql://a/b", "postgresql://a b/c", "postgresql:///x\ny", "postgresql://u:geheim/x@h/d",
        "postgresql://h:x/d", "postgresql://h:0/d", "postgresql://h:65536/d", "postgresql://u:geheim@ss@h/d",
        "postgresql://u:[geheim@h/d", "postgresql://[1::2::3]/d", "postgresql://h/d?application_name=a@b",
        "postgresql://h/d?foo", "postgresql://h/d?a=b&", "postgresql://h/d?sslmode=verify",
        "postgresql://h/d?a=b&sslmode=on", "postgresql://h/d?port=x", "postgresql://h/d?port=0", "postgresql://h/d#x",
    ],
    "convex_endpoint_url": [
        "x", "a.convex.site", "ftp://a", "https://", "https://a b", "https://u:geheim@a", "http://happy.convex.site",
        "http://localhost.example.org", "https://a:0", "https://a?b=c", " ",
    ],
    "convex_api_key": ["two words", "ge\nheim", "schlüssel", " "],
}  # fmt: skip
"""Answers that neither the template nor the project takes."""
STRICTER = {
    "kafka_bootstrap_servers": ["a:1,"],
    "elasticsearch_hosts": ["https://a,", "http://u:geheim@a:9200"],
    "elasticsearch_index_prefix": ["ä", "x" * 201],
    "postgres_dsn": ["postgresql://h/d?user=u&password=geheim", "postgresql://ü@h/d"],
    "convex_api_key": ["geheim\n"],
}
"""Answers that only the template refuses: typing errors, and passwords where no file for secrets would keep them."""
ACCEPTED = {
    "kafka_bootstrap_servers": [
        "localhost:9092", "a:1,b:65535", "a_b.example.org:9092, 10.0.0.1:9092 ,c:3", "[::1]:9092", "[2001:db8::7]:9092",
    ],
    "kafka_topic": ["mcp-logs", "a.b_C-1", "...", "x" * 249],
    "elasticsearch_hosts": [
        "http://localhost:9200", "https://es.example.org", "https://a:9243/es/,http://b:9200", "https://[::1]:9200",
        "https://[1:2:3:4:5:6:7:8], https://[::ffff:1]", "localhost:9200",
        "es.example.org:9200,https://a, [::1]:9200 ,http://b:1",
    ],
    "elasticsearch_index_prefix": ["mcp-logs", "0a._-", "x" * 200],
    "postgres_dsn": [
        "postgresql://mcp_logs@localhost:5432/mcp_logs", "postgresql://localhost/mcp_logs", "postgres://h",
        "postgresql:///d", "postgresql://u:p%40ss@h/d",
        "postgresql://u:@h/d", "postgresql://a:1,b:2/d", "postgresql://u@[::1]:5432/d", "postgresql://%2Frun%2Fpg/d",
        "postgresql:///d?host=/run/pg&port=5433", "postgresql://h/d?sslmode=verify-full&application_name=a%20b",
        "postgresql://h/d?sslmode=", "postgresql://h/d?", "postgresql://u@h/${HOME}",
    ],
    "convex_endpoint_url": [
        "https://happy.convex.site", "https://a.example.org:8443/under/", "http://localhost:3211", "http://LOCALHOST",
        "http://127.0.0.1:3211", "http://[::1]:3211", "https://a/logs/ingest", "https://your-deployment.convex.site",
        "https://your-deployment.convex.site/logs/ingest", "https://your-deployment.convex.cloud",
    ],
    "convex_api_key": ["key", "a|b+c/=~!"],
}  # fmt: skip
"""Answers that both take. Convex's may also stay empty, until the server is started."""
Case = tuple[str, str, str]
"""A destination, one of its settings, and a value."""
VERDICTS = """
import json, sys
from my_mcp_server.config import load_config
from my_mcp_server.logging.errors import SettingError
from my_mcp_server.logging.factory import create_destination

def is_built(destination, name, value):
    known = {"convex_endpoint_url": "https://a.convex.site", "convex_api_key": "key"}
    try:
        create_destination(destination, load_config(**{**known, name: value}))
    except SettingError:
        return False
    return True

print(json.dumps([is_built(*case) for case in json.load(sys.stdin)]))
"""


def owners() -> dict[str, tuple[str, str]]:
    """Return the questions about destinations, each with the destination and its role."""
    entries = questions()["_manifest"]["destinations"].items()
    return {
        answer: (name, entry["role"])
        for name, entry in entries
        for answer in (*entry["answers"], *entry.get("secrets", []))
    }


def judged_by_the_project(scripts: Path, cases: list[Case], folder: Path) -> dict[Case, bool]:
    """Return whether each destination can be built with the setting that is given for it."""
    done = subprocess.run(
        [scripts / "python", "-B", "-c", VERDICTS],
        cwd=folder,
        env={},
        input=json.dumps(cases),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return dict(zip(cases, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("name", owners())
def test_every_question_has_valid_and_invalid_samples(name: str) -> None:
    """The other tests only check the answers in this module."""
    assert name in ACCEPTED, f"add valid answers for {name} to ACCEPTED in {__file__}"
    assert name in REFUSED.keys() | STRICTER.keys(), (
        f"add invalid answers for {name} to REFUSED or STRICTER in {__file__}"
    )


@pytest.mark.parametrize("name", REFUSED | STRICTER)
def test_answers_of_chosen_destinations_are_checked(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    """Each malformed one is refused by a sentence that never shows a password."""
    destination, role = owners()[name]
    for value in REFUSED.get(name, []) + STRICTER.get(name, []):
        said = refused(tmp_path, capfd, **{f"{role}_log_destination": destination, name: value})
        assert_one_sentence(said, name)
        assert "geheim" not in said[0]


@pytest.mark.parametrize("row", [*zip_longest(*ACCEPTED.values())])
def test_answers_that_work_are_taken(tmp_path: Path, row: tuple[str | None, ...]) -> None:
    """A project appears, whatever form they have."""
    given = {name: literal(value) for name, value in zip(ACCEPTED, row, strict=True) if value is not None}
    assert bake(tmp_path, {**everything_on(), **given})


def test_the_template_judges_answers_as_the_project_does(baked: Baked, installed: Environment, tmp_path: Path) -> None:
    """What was accepted builds its destination, and what was refused would not have."""
    expected = [(REFUSED, False), (STRICTER, True), (ACCEPTED, True)]
    cases = {
        (owners()[name][0], name, value): verdict
        for answers, verdict in expected
        for name, values in answers.items()
        for value in values
    }
    verdicts = judged_by_the_project(installed(baked(everything_on())), [*cases], tmp_path)
    assert {case: verdict for case, verdict in verdicts.items() if verdict != cases[case]} == {}


def test_answers_of_other_destinations_do_not_matter(tmp_path: Path) -> None:
    """What was not asked for cannot be wrong."""
    assert bake(tmp_path, dict.fromkeys(owners(), " \t"))
