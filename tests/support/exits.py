"""What tests of exits have in common: the deadline, and what comes before and after an end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from .servers import until

if TYPE_CHECKING:
    from .servers import Server

DRAIN = 1.0
"""Seconds of LOG_DRAIN_TIMEOUT_MS."""
TEARDOWN = 0.5
"""Seconds the interpreter may take besides, on a busy machine: 0.07 to 0.12 were seen."""


async def until_open(server: Server, *names: str) -> None:
    """Wait until destinations have shown that they are well."""

    async def are_open() -> bool:
        counters = await server.all_counters()
        return all(counters[name]["written"] > 0 for name in names)

    await until(are_open, "every destination has written something")


async def forget(call: asyncio.Future[Any]) -> None:
    """Let a call go whose server is gone."""
    call.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await call
