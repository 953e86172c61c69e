"""The baked server, made once per run, and the same server without logging."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.servers import HttpServer, StdioServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.project import Project


@pytest.fixture(scope="session")
def project(everything_project: Project) -> Project:
    """Return the project with every destination."""
    return everything_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for servers."""
    return tmp_path


@pytest.fixture
async def bare(project: Project, folder: Path) -> AsyncIterator[StdioServer]:
    """The same server without logging."""
    async with StdioServer(project, folder / "bare", module="bare") as server:
        yield server


@pytest.fixture
async def bare_http(project: Project, folder: Path) -> AsyncIterator[HttpServer]:
    """The same server without logging, over HTTP."""
    async with HttpServer(project, folder / "bare", module="bare") as server:
        yield server
