"""Destinations of a user's own, as `LOG_DESTINATION_TYPE=own_destination:JsonLines` names them."""

from __future__ import annotations

import json
from pathlib import Path

from my_mcp_server.logging.destinations.base import LogDestination, LogEntry


class JsonLines(LogDestination):
    """Appends to a file in the working folder."""

    name = "json lines"

    async def write(self, entry: LogEntry) -> None:
        """Append one line."""
        with Path("own.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry.to_dict()) + "\n")


class NoDestination:
    """Can write, and has nothing else that a destination has."""

    async def write(self, entry: LogEntry) -> None:
        """Do nothing."""
