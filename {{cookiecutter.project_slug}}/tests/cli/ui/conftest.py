"""Fixtures for the page."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from .ui_helpers import SOURCES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination


@pytest.fixture
async def source(source_name: str) -> AsyncIterator[LogDestination]:
    """Return an empty destination, which is closed at the end."""
    built = SOURCES[source_name](uuid.uuid4().hex[:12])
    yield built
    await built.close()
