"""The services that a project brings for trying out are those that it is tested against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from scripts.project import everything_on
from tests.backends import elasticsearch, kafka, postgres
from tests.generation.combinations import ALONE, Answers

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
