"""Log numbered lines through the whole stack, as a script does, and end as the last argument says."""

from __future__ import annotations

import sys

from loguru import logger
from my_mcp_server.config import load_config
from my_mcp_server.logging.factory import create_log_destination
from my_mcp_server.logging.unified_logger import UnifiedLogger

text, count, end = sys.argv[1:]
UnifiedLogger.initialize(create_log_destination(load_config()))
logger.info("the destination is open")
if not UnifiedLogger.flush(30):
    sys.exit("the destination does not open")
for number in range(int(count)):
    logger.info(f"{text} {number}")
if end == "exit":
    sys.exit(4)
if end == "exception":
    raise ValueError(end)
