"""Fixtures for the server: in this process, and as another process over stdio."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from example_tools import register
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.types import Implementation

from {{cookiecutter.project_slug}}.server.recording import RecordingMCPServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fake_destinations import MemoryDestination

    from .server_helpers import Entries


@pytest.fixture
def server(memory: MemoryDestination) -> RecordingMCPServer:
    """Return a server with the tools of these tests, which records to `memory`."""
    server = RecordingMCPServer(name="recorded")
    register(server)
    return server


@pytest.fixture(params=["auto", "legacy"])
def client(server: RecordingMCPServer, request: pytest.FixtureRequest) -> Client:
    """Return a client for each era of the protocol; the test enters it in its own task."""
    return Client(server, mode=request.param, client_info=Implementation(name="tester", version="9"))


@pytest.fixture
def over_stdio(tmp_path: Path, own_logging: Entries) -> Iterator[Callable[..., Any]]:
    """Return a function that makes the transport to a server process; the stderr of the process is a file."""
    with (tmp_path / "stderr").open("w") as stderr:
        yield lambda arguments: stdio_client(
            StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ)), errlog=stderr
        )
