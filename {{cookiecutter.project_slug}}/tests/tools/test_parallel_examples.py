"""The example of a batch tool, called by a client and directly."""

from __future__ import annotations

from mcp import Client
from mcp.server import MCPServer

from {{cookiecutter.project_slug}}.tools import register_tools
from {{cookiecutter.project_slug}}.tools.parallel_examples import reverse


async def test_clients_can_reverse_many_texts() -> None:
    """`reverse_all` returns each result, or the reason why a text cannot be reversed."""
    server = MCPServer("example")
    register_tools(server)
    async with Client(server) as client:
        result = await client.call_tool("reverse_all", {"texts": ["abc", "", "d"]})
    assert [item["result"] or item["error"] for item in result.structured_content["result"]] == [
        "cba",
        "an empty text cannot be reversed",
        "d",
    ]


async def test_tests_can_call_the_tool_directly() -> None:
    """A batch tool is a function with keyword arguments; it works without a context."""
    assert [item.result for item in await reverse(texts=["ab", "c"])] == ["ba", "c"]
