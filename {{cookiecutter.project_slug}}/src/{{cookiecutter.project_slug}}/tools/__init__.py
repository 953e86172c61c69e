"""Your tools. Put a module with a function `register(server)` into this folder; the server loads it at start.

Modules whose names begin with an underscore are not loaded: they are for what your tools share.
"""

from __future__ import annotations

import logging
import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from mcp.server import MCPServer

_logger = logging.getLogger(__name__)


def register_tools(server: MCPServer[Any]) -> None:
    """Call `register(server)` of each module in this folder, in alphabetical order; warn about one that has none."""
    for name in module_names():
        register = find_register(name)
        if register is None:
            _logger.warning(describe_missing_register(name))
        else:
            register(server)


def module_names() -> list[str]:
    """Return the names of the modules to load."""
    return [info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")]


def find_register(name: str) -> Callable[[MCPServer[Any]], object] | None:
    """Import a module of this folder and return its function `register`, or None if it has none."""
    register = getattr(import_module(f".{name}", __name__), "register", None)
    return register if callable(register) else None


def describe_missing_register(name: str) -> str:
    """Return what is wrong with a module that has no function `register`, and how to fix it."""
    return f"the tool module {name} has no function register(server): add one, or begin its name with an underscore"
