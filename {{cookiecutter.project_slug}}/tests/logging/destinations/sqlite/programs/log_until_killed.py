"""Deliver 500 lines to the file in argv[1], then wait to be killed."""

import signal
import sys

from loguru import logger

from {{cookiecutter.project_slug}}.logging.destinations import SQLiteDestination
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

UnifiedLogger.initialize(SQLiteDestination(sys.argv[1]))
for number in range(500):
    logger.info(number)
UnifiedLogger.flush()
sys.stdout.write("delivered\n")
sys.stdout.flush()
signal.pause()
