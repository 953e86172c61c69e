"""Send entries from the command: one destination behind its buffer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from ..logging.factory import SETTING, buffers_of, create_destination

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..config import ServerConfig
    from ..logging.destinations.buffered import BufferedDestination


@asynccontextmanager
async def open_buffer(
    name: str, config: ServerConfig, *, given_as: str = SETTING
) -> AsyncIterator[BufferedDestination]:
    """Open one destination behind its buffer; close it within LOG_DRAIN_TIMEOUT_MS and ignore a failing close.

    Call `flush` before the end of the block to have entries delivered.
    """
    (buffer,) = buffers_of(create_destination(name, config, given_as=given_as), config)
    await buffer.open()
    try:
        yield buffer
    finally:
        with suppress(Exception):
            async with asyncio.timeout(config.log_drain_timeout_ms / 1000):
                await buffer.close()
