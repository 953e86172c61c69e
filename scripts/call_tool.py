"""Start a server over stdio with the SDK's client, call a tool, and print what it answers.

Needs only the SDK, so that the environment of a baked project runs it:
`python call_tool.py [--tool NAME --arguments JSON] COMMAND [ARGUMENT ...]`; without a tool it lists the tools.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os

from mcp import Client, StdioServerParameters


def main() -> int:
    """Return 1 if the tool failed."""
    parser = argparse.ArgumentParser(description="Call a tool of an MCP server over stdio.")
    parser.add_argument("--tool", metavar="NAME", help="the tool to call; without one, list the tools")
    parser.add_argument("--arguments", type=json.loads, default={}, metavar="JSON", help="what to call it with")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="how to start the server")
    options = parser.parse_args()
    return asyncio.run(call(options.tool, options.arguments, options.command))


async def call(tool: str | None, arguments: dict[str, object], command: list[str]) -> int:
    """Print a tool's answer, or the names of all tools, one a line."""
    server = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
    async with Client(server, read_timeout_seconds=60) as client:
        if tool is None:
            listed = await client.list_tools()
            print("\n".join(each.name for each in listed.tools))
            return 0
        answer = await client.call_tool(tool, arguments)
        print("\n".join(getattr(part, "text", part.type) for part in answer.content))
        return int(bool(answer.is_error))


if __name__ == "__main__":
    raise SystemExit(main())
