"""Your tools. Put a module with a function `register(server)` into this folder; the server loads it at start."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server import MCPServer


def register_tools(server: MCPServer[Any]) -> None:
    """Call `register(server)` of each module in this folder, in alphabetical order."""
    for info in pkgutil.iter_modules(__path__):
        register = getattr(import_module(f".{info.name}", __name__), "register", None)
        if register is not None:
            register(server)
