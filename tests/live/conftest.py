"""The installed project, and places in the live backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from scripts.project import questions

from .routes import MakeRoute, route_maker
from .targets import ConvexTarget, ElasticsearchTarget, KafkaTarget, PostgresTarget, SQLiteTarget, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.backends import Kafka
    from tests.support.project import Project

BACKENDS = {name: entry for name, entry in questions()["_manifest"]["destinations"].items() if "service" in entry}
PRODUCTION = tuple(BACKENDS)
"""The destinations with a backend to start; each needs a target and a route."""
LABELS = {name: entry["label"].removeprefix("Apache ") for name, entry in BACKENDS.items()}
"""What messages call them."""
ALL = (*PRODUCTION, "sqlite")

MakeTarget = Callable[[str], Target]


@pytest.fixture(scope="session")
def project(everything_project: Project) -> Project:
    """Return the project with every destination."""
    return everything_project


@pytest.fixture
def make_target(request: pytest.FixtureRequest, tmp_path: Path) -> MakeTarget:
    """Return what makes a place of one's own in the shared backend of that name."""

    def make(name: str) -> Target:
        match name:
            case "kafka":
                return KafkaTarget(request.getfixturevalue("kafka"))
            case "elasticsearch":
                return ElasticsearchTarget(request.getfixturevalue("elasticsearch_9"))
            case "postgres":
                return PostgresTarget(request.getfixturevalue("postgres"))
            case "convex":
                return ConvexTarget(request.getfixturevalue("convex"))
            case "sqlite":
                return SQLiteTarget(tmp_path / "logs.db")
            case _:
                pytest.fail(f"{name} has no target yet: add one to tests/live/targets.py, and here")

    return make


@pytest.fixture
def advertised_port(kafka: Kafka) -> Iterator[int]:
    """The port where clients of Kafka's hidden listener go on, which is one test's at a time."""
    with FileLock(kafka.workdir / "advertised.lock"):
        yield kafka.advertised_port


@pytest.fixture
def make_route(request: pytest.FixtureRequest, make_target: MakeTarget) -> MakeRoute:
    """Return what makes a route through a proxy to the shared backend of that name."""
    return route_maker(request, make_target)
