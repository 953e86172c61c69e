"""A tool with a bug and one with a secret, put beside the example tools of the baked project."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server import MCPServer


def crash() -> str:
    """Fail in a way that nobody expected."""
    logging.getLogger(__name__).debug("about to crash")
    msg = "an internal detail"
    raise RuntimeError(msg)


def login(password: int) -> str:
    """Take a number that nobody may see."""
    return f"{password:d} is the right one"


def register(server: MCPServer[Any]) -> None:
    """Add the tools."""
    server.add_tool(crash)
    server.add_tool(login)
