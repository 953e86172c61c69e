"""Log to the file in argv[1] before a line arrives on stdin, in a forked child after it, and once more at the end."""

import os
import sys
import warnings

from loguru import logger

from {{cookiecutter.project_slug}}.logging.destinations import SQLiteDestination
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns about os.fork in a process with threads
UnifiedLogger.initialize(SQLiteDestination(sys.argv[1]))
logger.info("first")
UnifiedLogger.flush()
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
if os.fork() == 0:
    logger.info("child")
    sys.exit()
os.wait()
logger.info("last")
