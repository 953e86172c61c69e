"""The installed project, and places in the live backends."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.backends.cache import cached
from tests.faults.project import shared_project

from .project import Project, install
from .targets import ConvexTarget, ElasticsearchTarget, KafkaTarget, PostgresTarget, SQLiteTarget, Target

if TYPE_CHECKING:
    from pathlib import Path

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
