"""Tools that tests call."""

from __future__ import annotations

import asyncio
import logging
import os
import time
import uuid
from pathlib import Path
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


def refuse(city: str) -> None:
    """Raise an error that clients see."""
    from mcp.server.mcpserver.exceptions import ToolError  # takes half a second, which most programs here do not need

    msg = f"no weather in {city}"
    raise ToolError(msg)


def sleep_in_thread(seconds: float, then: str = "return") -> str:
    """Wait in a worker thread, which nothing can interrupt; then return, or raise."""
    time.sleep(seconds)
    if then == "raise":
        msg = "woke up too late"
        raise RuntimeError(msg)
    return "woke up"


def wait_for_file(path: str) -> None:
    """Wait in a thread until a file exists; tell by another one that the thread has started."""
    Path(f"{path}.{uuid.uuid4().hex}").touch()
    while not Path(path).exists():
        time.sleep(0.02)


async def give_up() -> None:
    """Raise CancelledError, as a tool should not."""
    raise asyncio.CancelledError


def manual(topic: str) -> str:
    """Return the text of a resource."""
    logger.info("reading about {topic}", topic=topic)
    if topic == "broken":
        msg = "the page is torn"
        raise LookupError(msg)
    return f"all about {topic}"


def greet(name: str) -> str:
    """Return the text of a prompt."""
    if name == "nobody":
        msg = "nobody is there"
        raise LookupError(msg)
    return f"Say hello to {name}"


TOOLS = (
    say,
    process_id,
    hang,
    crash,
    refuse,
    return_an_error,
    break_the_schema,
    log_everywhere,
    sleep_in_thread,
    wait_for_file,
    give_up,
)


def register(server: MCPServer[Any]) -> None:
    """Add these tools, a resource and a prompt to a server."""
    server.resource("manual://{topic}")(manual)
    server.prompt()(greet)
    for tool in TOOLS:
        server.add_tool(tool)
