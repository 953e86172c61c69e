"""Log 1,000 lines to the JSON lines file, then end in the way that the argument names."""

import asyncio
import os
import signal
import sys

from fake_destinations import JsonLinesDestination
from loguru import logger

from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger


async def main() -> None:
    """Log from an event loop."""
    logger.info("last")


UnifiedLogger.initialize(JsonLinesDestination.from_config(None))
for number in range(1_000):
    logger.info(f"line {number}")
match sys.argv[1]:
    case "exit":
        sys.exit(3)
    case "exception":
        1 / 0  # noqa: B018 - raises
    case "event loop":
        asyncio.run(main())
    case "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
