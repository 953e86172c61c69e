"""The services that a project brings for trying out are those that it is tested against."""

from __future__ import annotations

import re
import signal
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml

from scripts.project import everything_on, questions
from tests.backends import BACKENDS, __main__, elasticsearch, kafka, postgres
from tests.generation.combinations import ALONE, Answers, texts

if TYPE_CHECKING:
    from tests.conftest import Baked

VERSIONS = {
    "kafka": kafka.VERSION,
    "elasticsearch": elasticsearch.VERSION,
    "postgres": postgres.VERSION.partition(".")[0],
    "convex": "latest",
}
"""Of PostgreSQL the image's name holds the major version only; Convex numbers none."""


def services(baked: Baked, answers: Answers) -> dict[str, Any]:
    """Return the services of a project, none where it has no file of them."""
    file = baked(answers) / "compose.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8"))["services"]) if file.exists() else {}


def addresses(baked: Baked) -> dict[str, tuple[str, str]]:
    """Return where a project's tests look for each backend: the variable that says it, and the default."""
    files = texts(baked(everything_on()))
    read = {
        name: re.findall(r'"(TEST_\w+)", "(.*?)"', files[f"tests/logging/destinations/{name}/{name}_helpers.py"])
        for name in VERSIONS
    }
    return {name: found[0] for name, found in read.items()}


def test_the_versions_are_those_that_are_tested(baked: Baked) -> None:
    """Whoever starts the services sees what the tests saw."""
    images = {name: service["image"] for name, service in services(baked, everything_on()).items()}
    assert {name: image.rpartition(":")[2] for name, image in images.items()} == VERSIONS


@pytest.mark.parametrize("answers", ALONE.values(), ids=ALONE.keys())
def test_a_project_has_the_services_of_what_was_chosen(baked: Baked, answers: Answers) -> None:
    """One for its production destination, none for what is local."""
    assert list(services(baked, answers)) == [
        name for name in VERSIONS if answers["production_log_destination"] == name
    ]


def test_every_service_tells_when_it_is_ready(baked: Baked) -> None:
    """`docker compose up --wait` waits for a command that runs inside; only this machine reaches its ports."""
    for service in services(baked, everything_on()).values():
        check = service["healthcheck"]
        assert check["test"][0] in ("CMD", "CMD-SHELL")
        assert check["interval"].endswith("s")
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_a_projects_tests_look_where_its_services_listen(baked: Baked) -> None:
    """After `docker compose up` no variable is needed: each default is on this machine, at a port of the service."""
    for name, service in services(baked, everything_on()).items():
        _, default = addresses(baked)[name]
        found = re.search(r"(localhost|127\.0\.0\.1):(\d+)(/\w+)?$", default)
        assert found is not None, default
        assert found[2] in [published.split(":")[1] for published in service["ports"]], name


def test_the_default_url_of_postgres_logs_in_at_its_service(baked: Baked) -> None:
    """The service makes the role and the database of the URL, and asks for no password: an answer must not hold one."""
    service, url = services(baked, everything_on())["postgres"], urlsplit(questions()["postgres_dsn"])
    made = service["environment"]

    assert (url.username, url.path, url.password) == (made["POSTGRES_USER"], f"/{made['POSTGRES_DB']}", None)
    assert made["POSTGRES_HOST_AUTH_METHOD"] == "trust"
    assert f"{url.port}:5432" in [published.partition(":")[2] for published in service["ports"]]
    assert service["healthcheck"]["test"][1].endswith(f" -U {url.username} -d {url.path[1:]}")
    assert addresses(baked)["postgres"][1] == url.geturl()


def test_make_backends_prints_the_variables_that_a_projects_tests_read(
    baked: Baked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, which can be exported as they are; an older Elasticsearch beside the newer one is a comment."""
    started = {"make": lambda folder: nullcontext(SimpleNamespace(address=folder.name))}
    made = [SimpleNamespace(**{**choice._asdict(), **started}) for choice in BACKENDS]
    monkeypatch.setattr(__main__, "BACKENDS", made)
    monkeypatch.setattr(signal, "pause", lambda: None)

    __main__.run({choice.name for choice in BACKENDS})

    lines = capsys.readouterr().out.splitlines()
    settings = [line.split("=")[0] for line in lines if not line.startswith("#")]
    assert sorted(settings) == sorted(variable for variable, _ in addresses(baked).values())
    assert [line for line in lines if line.startswith("#")] == [
        "# elasticsearch_8: TEST_ELASTICSEARCH_HOSTS=elasticsearch_8"
    ]
