"""An MCP server whose every tool call is recorded; importing this package does nothing."""

__version__ = "0.1.0"
