"""Log numbered lines through the whole stack, as a script does, and end as the last argument says."""

from __future__ import annotations

import sys

from loguru import logger
from my_mcp_server.config import load_config
from my_mcp_server.logging.factory import create_log_destination
from my_mcp_server.logging.unified_logger import UnifiedLogger

text, count, end = sys.argv[1:]
config = load_config()
destination = create_log_destination(config)
if end == "at once":
    UnifiedLogger.initialize(destination, settings=config)
else:
    UnifiedLogger.initialize(destination)
    # A backend that has just begun takes seconds for what takes it milliseconds later.
    for number in range(int(count)):
        logger.info(f"warm up {number}")
    if not UnifiedLogger.flush(30):
        sys.exit("the destination did not take anything")
for number in range(int(count)):
    logger.info(f"{text} {number}")
if end == "exit":
    sys.exit(4)
if end == "exception":
    raise ValueError(end)
