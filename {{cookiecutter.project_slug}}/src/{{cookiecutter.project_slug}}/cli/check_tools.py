"""What `doctor` finds in the tool modules: whether they can be loaded, and what they offer."""

from __future__ import annotations

from typing import Any

from mcp.server import MCPServer

from ..choices import COMMAND
from ..server.crash import last_line, place_of
from ..server.stdio import stdout_as_stderr
from ..tools import describe_missing_register, find_register, module_names
from .output import harmless


async def check_tools() -> bool:
    """Load the tool modules into a server that records nothing; print what fails and what they offer."""
    server: MCPServer[Any] = MCPServer(COMMAND)
    failures = [failure for name in module_names() if (failure := _load(name, server)) is not None]
    for failure in failures:
        print(f"FAIL  tools: {harmless(failure)}")
    for kind, names in (await _offers(server)).items():
        print(f"ok    {kind}: {harmless(', '.join(names) or 'none')}")
    return not failures


def _load(name: str, server: MCPServer[Any]) -> str | None:
    """Import a module and let it register; return what fails, or None."""
    try:
        with stdout_as_stderr():
            register = find_register(name)
            if register is None:
                return describe_missing_register(name)
            register(server)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a tool module raises is the finding
        return f"{last_line(error)} ({place_of(error)})"
    return None


async def _offers(server: MCPServer[Any]) -> dict[str, list[str]]:
    """Return the names of the tools, resources and prompts; resources with their URIs."""
    resources = {each.uri: each.name for each in await server.list_resources()}
    templates = {each.uri_template: each.name for each in await server.list_resource_templates()}
    return {
        "tools": [each.name for each in await server.list_tools()],
        "resources": [f"{name} ({uri})" for uri, name in (resources | templates).items()],
        "prompts": [each.name for each in await server.list_prompts()],
    }
