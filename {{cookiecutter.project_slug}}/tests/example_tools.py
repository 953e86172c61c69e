"""Tools that tests call."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

from loguru import logger

if TYPE_CHECKING:
    from mcp.server import MCPServer


def say(text: str) -> str:
    """Return the text, after printing and logging something."""
    print("printed by a tool")  # noqa: T201 - tools may print
    logger.info("said {text}", text=text)
    return text


def process_id() -> int:
    """Return the process id of the server."""
    return os.getpid()


async def hang() -> None:
    """Wait for a minute."""
    await asyncio.sleep(60)


def crash(secret: str = "") -> None:
    """Raise an exception whose text clients must not see."""
    logging.getLogger("library").warning("about to crash")
    msg = f"internal detail {secret}"
    raise RuntimeError(msg)


def return_an_error() -> Any:
    """Return an error result without raising."""
    from mcp.types import CallToolResult, TextContent  # takes half a second, which most programs here do not need

    return CallToolResult(content=[TextContent(type="text", text="returned error")], is_error=True)


def break_the_schema() -> int:
    """Return a value that the output schema does not allow."""
    return "not a number"  # type: ignore[return-value]


async def log_everywhere(tag: str) -> str:
    """Log with loguru and the standard library, from a child task and from a worker thread."""
    logger.info(f"{tag} loguru")
    logging.getLogger("application").info("%s stdlib", tag)
    await asyncio.create_task(_log_in_child(tag))
    await asyncio.to_thread(logger.info, f"{tag} thread")
    return tag


async def _log_in_child(tag: str) -> None:
    await asyncio.sleep(0)
    logger.info(f"{tag} child")


def register(server: MCPServer[Any]) -> None:
    """Add these tools to a server."""
    for tool in (say, process_id, hang, crash, return_an_error, break_the_schema, log_everywhere):
        server.add_tool(tool)
