"""The example tools, called by a client."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client
from mcp.server import MCPServer

from {{cookiecutter.project_slug}}.tools import register_tools


@pytest.fixture
def client() -> Client:
    """Return a client of a server with this project's tools."""
    server = MCPServer("examples")
    register_tools(server)
    return Client(server)


@pytest.mark.parametrize(
    ("tool", "arguments", "text"),
    [
        ("echo", {"text": "na\u00efve \U0001f600\n"}, "na\u00efve \U0001f600\n"),
        ("wait", {"seconds": 0}, "waited 0.0 s"),
        ("wait", {"seconds": -5}, "waited 0 s"),
        ("temperature", {"city": "Kyoto"}, "18"),
    ],
)
async def test_a_tool_returns_its_result(client: Client, tool: str, arguments: dict[str, Any], text: str) -> None:
    """The client receives the text that the tool returned."""
    async with client:
        result = await client.call_tool(tool, arguments)
    assert (result.is_error, result.content[0].text) == (False, text)


async def test_progress_is_reported_after_each_text(client: Client) -> None:
    """Each report contains the total; the counts are structured content."""
    seen: list[tuple[float, float | None]] = []

    async def note(progress: float, total: float | None, _: str | None) -> None:
        seen.append((progress, total))

    async with client:
        result = await client.call_tool("count_words", {"texts": ["a b", "", "c"]}, progress_callback=note)
    assert result.structured_content == {"result": [2, 0, 1]}
    assert seen == [(1, 3), (2, 3), (3, 3)]


async def test_a_client_sees_the_text_of_a_tool_error(client: Client) -> None:
    """It lists the valid values."""
    async with client:
        result = await client.call_tool("temperature", {"city": "Atlantis"})
    assert result.is_error
    assert result.content[0].text.endswith("No temperature for 'Atlantis'; known cities: amsterdam, kyoto, reykjavik")


async def test_every_tool_is_described(client: Client) -> None:
    """Clients see a description and a schema for each tool."""
    async with client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert tools.keys() >= {"echo", "wait", "count_words", "temperature"}
    assert all(tool.description and tool.input_schema["properties"] for tool in tools.values())
