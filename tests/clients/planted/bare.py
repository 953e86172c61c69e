"""The baked server's tools on the SDK's own MCPServer, without any logging: what clients see is compared with this."""

from __future__ import annotations

import os

from mcp.server import MCPServer
from my_mcp_server import __version__  # type: ignore[import-not-found]
from my_mcp_server.choices import COMMAND, DESCRIPTION, TITLE  # type: ignore[import-not-found]
from my_mcp_server.tools import register_tools  # type: ignore[import-not-found]

if __name__ == "__main__":
    server = MCPServer(COMMAND, title=TITLE, description=DESCRIPTION, version=__version__, log_level="CRITICAL")
    register_tools(server)
    port = int(os.environ.get("HTTP_PORT", "0"))
    match os.environ.get("TRANSPORT"):
        case "streamable-http":
            server.run("streamable-http", port=port)
        case "sse":
            server.run("sse", port=port)
        case _:
            server.run()
