"""Log 1,000 lines that start with argv[2] to the file in argv[1]; fail if a log call is slow."""

import logging
import sys
import time

from helpers import assert_nobody_waited

from {{cookiecutter.project_slug}}.logging.destinations import SQLiteDestination
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

UnifiedLogger.initialize(SQLiteDestination(sys.argv[1]))
seconds = []
for number in range(1_000):
    begun = time.perf_counter()
    logging.getLogger("app").info("%s %d", sys.argv[2], number)
    seconds.append(time.perf_counter() - begun)
assert_nobody_waited(seconds)
assert UnifiedLogger.flush(20)
