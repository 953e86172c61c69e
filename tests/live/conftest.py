"""The installed project, and places in the live backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from tests.backends.cache import cached
from tests.faults.project import shared_project

from .project import Project, install
from .routes import MakeRoute, route_maker
from .targets import ConvexTarget, ElasticsearchTarget, KafkaTarget, PostgresTarget, SQLiteTarget, Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.backends import Kafka
    from tests.faults.project import Project as ProbedProject

PRODUCTION = ("kafka", "elasticsearch", "postgres", "convex")
ALL = (*PRODUCTION, "sqlite")

MakeTarget = Callable[[str], Target]


@pytest.fixture(scope="session")
def project(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The baked project, installed, for all workers of this run."""
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if hasattr(pytestconfig, "workerinput") else folder) / "live"
    return Project(cached("project", install, root=folder))


@pytest.fixture(scope="session")
def probed(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> ProbedProject:
    """The server of the fault suite, with every destination too: its tools look inside."""
    return shared_project(pytestconfig, tmp_path_factory)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio."""
    return "asyncio"


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
            case _:
                return SQLiteTarget(tmp_path / "logs.db")

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
