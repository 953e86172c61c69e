"""The baked server's tools without its logging: what the others are measured against."""

# mypy: disable-error-code="import-not-found,misc,untyped-decorator"
from __future__ import annotations

import os

from baked_server.tools import register_tools
from mcp.server import MCPServer

if __name__ == "__main__":
    server = MCPServer("bare", log_level="ERROR")
    register_tools(server)
    if os.environ.get("TRANSPORT") == "streamable-http":
        server.run("streamable-http", host="127.0.0.1", port=int(os.environ["HTTP_PORT"]))
    else:
        server.run()
