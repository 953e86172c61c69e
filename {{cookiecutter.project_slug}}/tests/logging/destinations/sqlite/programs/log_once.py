"""Log one line to the file in argv[1], whose destination opens slowly, and exit."""

import asyncio
import sys

from loguru import logger

from {{cookiecutter.project_slug}}.logging.destinations import SQLiteDestination
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger


class SlowDestination(SQLiteDestination):
    """A destination that takes 0.1 s to open."""

    async def open(self) -> None:
        """Wait, then open."""
        await asyncio.sleep(0.1)
        await super().open()


UnifiedLogger.initialize(SlowDestination(sys.argv[1]))
logger.info("once")
