"""Send entries from the command."""

from __future__ import annotations

from typing import Any

from fake_destinations import JSON_LINES
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli.sending import open_buffer
from {{cookiecutter.project_slug}}.config import ServerConfig


async def test_an_opened_buffer_delivers_to_one_destination(own_logging: Any) -> None:
    """It is flushed on request, and closed at the end of the block."""
    async with open_buffer(JSON_LINES, ServerConfig()) as buffer:
        buffer.put(make_entry("hello"))
        assert await buffer.flush()
    assert [entry["message"] for entry in own_logging()] == ["hello"]
