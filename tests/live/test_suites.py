"""The tests that a project brings for its backends, run as its owner runs them: against what the addresses name."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.backends.processes import free_ports

from .conftest import LABELS, PRODUCTION

if TYPE_CHECKING:
    from pathlib import Path

    from tests.backends import Convex, Elasticsearch, Kafka, Postgres
    from tests.support.project import Project

DEADLINE = 600
"""Seconds after which tests are taken to hang, as for those that need no backend."""


@pytest.mark.parametrize("name", PRODUCTION)
def test_all_integration_tests_pass(
    project: Project,
    kafka: Kafka,
    elasticsearch_9: Elasticsearch,
    postgres: Postgres,
    convex: Convex,
    name: str,
    tmp_path: Path,
) -> None:
    """Every destination keeps its promises to a live backend, Elasticsearch to its version 9."""
    done = _integration_tests(
        project,
        tmp_path,
        "-k",
        name,
        TEST_KAFKA_BOOTSTRAP_SERVERS=kafka.bootstrap_servers,
        TEST_ELASTICSEARCH_HOSTS=elasticsearch_9.url,
        TEST_POSTGRES_DSN=postgres.dsn,
        TEST_CONVEX_URL=convex.url,
        TEST_CONVEX_API_KEY=convex.api_key,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert _without_skips(done.stdout)


def test_every_integration_test_names_its_destination(project: Project, tmp_path: Path) -> None:
    """So that the tests above run each of them."""
    done = _integration_tests(project, tmp_path, "--collect-only", "-k", f"not ({' or '.join(PRODUCTION)})")

    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout


def test_elasticsearch_8_passes_as_well(project: Project, elasticsearch_8: Elasticsearch, tmp_path: Path) -> None:
    """The same tests, against the version before."""
    done = _integration_tests(project, tmp_path, "-k", "elasticsearch", TEST_ELASTICSEARCH_HOSTS=elasticsearch_8.url)

    assert done.returncode == 0, done.stdout + done.stderr
    assert _without_skips(done.stdout)


@pytest.mark.parametrize("name", PRODUCTION)
def test_a_backend_that_is_not_there_fails_the_run(project: Project, name: str, tmp_path: Path) -> None:
    """Every test that needs it fails with one sentence that names it and says how to start it; none is skipped."""
    port, *_ = free_ports(1)
    addresses = {
        "kafka": {"TEST_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{port}"},
        "elasticsearch": {"TEST_ELASTICSEARCH_HOSTS": f"http://127.0.0.1:{port}"},
        "postgres": {"TEST_POSTGRES_DSN": f"postgresql://me:secret@127.0.0.1:{port}/me"},
        "convex": {"TEST_CONVEX_URL": f"http://127.0.0.1:{port}", "TEST_CONVEX_API_KEY": "key"},
    }

    done = _integration_tests(project, tmp_path, "-k", name, "--tb=line", "-rN", **addresses[name])

    assert done.returncode == 1, done.stdout + done.stderr
    assert _without_skips(done.stdout)
    sentence = re.compile(rf"{LABELS[name]}.*\b{port}\b.*docker compose up")
    said = sum(sentence.search(line) is not None for line in done.stdout.splitlines())
    assert said == sum(map(int, re.findall(r"(\d+) (?:failed|error)", done.stdout.splitlines()[-1]))), done.stdout
    assert "secret" not in done.stdout


def _integration_tests(
    project: Project, folder: Path, *options: str, **addresses: str
) -> subprocess.CompletedProcess[str]:
    """Run the project's integration tests to their end."""
    command = [project.python, "-m", "pytest", "-m", "integration", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "--basetemp", folder / "own", *options],
        cwd=project.source,
        env={name: os.environ[name] for name in ("PATH", "PYTHONPYCACHEPREFIX")} | {"HOME": str(folder)} | addresses,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def _without_skips(output: str) -> bool:
    return re.search(r"\d (skipped|xfailed)", output) is None
