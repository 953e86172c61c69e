"""The baked server, made once per run, and the same server without logging."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .project import Project, shared_project
from .servers import HttpServer, StdioServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Project:
    """A server with every destination, installed, with tools that look inside; the workers of a run share it."""
    return shared_project(pytestconfig, tmp_path_factory)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio."""
    return "asyncio"


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
