"""A filled store, as the benchmark asks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench_server.config import ServerConfig
from bench_server.logging.factory import create_destination

from .questions import ROWS

if TYPE_CHECKING:
    from collections.abc import Callable

    from .questions import Question


@dataclass(frozen=True, kw_only=True)
class Store:
    """The destination's name, the number of its entries, and how its bare statement for a question is run.

    `answer` returns the number of rows; `settings` are those of the project, and `ids` those of one entry.
    """

    name: str
    count: int
    settings: dict[str, str]
    ids: tuple[str, str]
    answer: Callable[[Question], int]

    async def scan(self, text: str) -> int:
        """Return the number of calls that contain a text, found in one query of the destination."""
        settings = {name.lower(): value for name, value in self.settings.items()}
        destination = create_destination(self.name, ServerConfig(**settings))
        try:
            return len(await destination.query(text=text, log_type="tool_execution", limit=ROWS))
        finally:
            await destination.close()
