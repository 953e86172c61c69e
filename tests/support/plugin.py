"""Fixtures that the suites with installed projects share."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from scripts.project import everything_on
from tests.backends.cache import cached

from .project import FIXTURES, Project, install

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def run_folder(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of this run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if hasattr(pytestconfig, "workerinput") else folder


@pytest.fixture(scope="session")
def everything_project(run_folder: Path) -> Project:
    """Return a project with every destination, installed, with the tools of `fixtures/probe.py`."""
    build = partial(install, answers=everything_on(), tools=FIXTURES / "probe.py")
    return Project(cached("everything", build, root=run_folder))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio."""
    return "asyncio"
