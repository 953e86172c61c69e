"""Example tools to read and replace: sync, async, with progress, and with an expected failure.

Tools need no logging code: every call is recorded with its arguments, result, duration and outcome. Lines logged with
loguru or the standard library get the correlation id of the call, also in worker threads and child tasks.
"""

from __future__ import annotations

from typing import Any

import anyio
from loguru import logger
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

TEMPERATURES = {"amsterdam": 11, "kyoto": 18, "reykjavik": 4}
"""Degrees Celsius by city; the names are lower case."""


def echo(text: str) -> str:
    """Return the text unchanged."""
    return text


async def wait(seconds: float) -> str:
    """Wait up to ten seconds; other calls run meanwhile."""
    pause = min(max(seconds, 0), 10)
    logger.info("waiting for {pause} s", pause=pause)
    await anyio.sleep(pause)
    return f"waited {pause} s"


async def count_words(texts: list[str], ctx: Context[Any, Any]) -> list[int]:
    """Count the words of each text and report progress after each text."""
    counts: list[int] = []
    for text in texts:
        counts.append(len(text.split()))
        await ctx.report_progress(len(counts), len(texts), f"{len(counts)} of {len(texts)} texts")
    return counts


def temperature(city: str) -> int:
    """Return the temperature of a city in degrees Celsius.

    Raise ToolError for an unknown city: the model sees the text of a ToolError, but not that of other exceptions.
    """
    try:
        return TEMPERATURES[city.lower()]
    except KeyError:
        msg = f"No temperature for {city!r}; known cities: {', '.join(TEMPERATURES)}"
        raise ToolError(msg) from None


def register(server: MCPServer[Any]) -> None:
    """Add the tools of this module to a server."""
    for tool in (echo, wait, count_words, temperature):
        server.add_tool(tool)
