"""Serve until the client disconnects or a signal arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from helpers import PATIENCE, program_path
from mcp import Client

from {{cookiecutter.project_slug}}.choices import COMMAND
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable

    from .server_helpers import Entries, Start


@pytest.mark.parametrize("module", [PACKAGE, f"{PACKAGE}.server.app"])
async def test_python_m_serves_over_stdio(over_stdio: Callable[..., Any], start: Start, module: str) -> None:
    """The package and its `server.app` do the same as the command."""
    async with Client(over_stdio(["-m", module])) as client:
        assert client.server_info.name == COMMAND


def test_an_error_that_ends_the_server_is_recorded(own_logging: Entries, start: Start) -> None:
    """The traceback is delivered, and the exit code is 1."""
    process = start(program_path("serve_over_broken_transport"))
    assert process.wait(PATIENCE) == 1
    (entry,) = [entry for entry in own_logging() if entry["level"] == "ERROR"]
    assert "RuntimeError: the transport broke" in entry["traceback"]
