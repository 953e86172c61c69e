"""An example of a batch tool: `reverse` reverses one text, and clients call it as `reverse_all` with many."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from ..parallel import parallelize


@parallelize(limit=4)
async def reverse(text: str, delay: float = 0.0) -> str:
    """Reverse each text after `delay` seconds, up to four texts at a time."""
    if not text:
        msg = "an empty text cannot be reversed"
        raise ToolError(msg)
    await anyio.sleep(min(max(delay, 0), 10))
    return text[::-1]


def register(server: MCPServer[Any]) -> None:
    """Add the batch tool to a server."""
    server.add_tool(reverse, name="reverse_all")
