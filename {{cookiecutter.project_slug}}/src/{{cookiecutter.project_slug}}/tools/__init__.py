"""Your tools: every module in this package that has a `register(server)` function is loaded at start."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server import MCPServer


def register_tools(server: MCPServer[Any]) -> None:
    """Let each module of this package register its tools, in the order of their names."""
    for info in pkgutil.iter_modules(__path__):
        register = getattr(import_module(f".{info.name}", __name__), "register", None)
        if register is not None:
            register(server)
