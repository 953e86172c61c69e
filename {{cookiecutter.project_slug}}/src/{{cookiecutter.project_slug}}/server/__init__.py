"""The MCP server: its tools, what is recorded of them, and how it is served."""
