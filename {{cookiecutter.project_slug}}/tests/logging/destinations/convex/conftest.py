"""Fixtures of the Convex tests."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination

from .convex_helpers import SECRET, StubServer, make_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Any]]:
    """Return a function that starts a stub server and returns it with a destination that uses it."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*answers: tuple[int, object], **settings: Any) -> tuple[StubServer, ConvexDestination]:
            stub = StubServer(*answers)
            server = await stub.start()
            stack.callback(server.close)
            stack.push_async_callback(stub.stop)
            destination = ConvexDestination(make_settings(stub.url, SECRET, **settings))
            stack.push_async_callback(destination.close)
            return stub, destination

        yield start
