"""Log 2,000 lines to the file in argv[1] while its size is limited, then lift the limit and wait for delivery."""

import resource
import sys

from helpers import until
from loguru import logger

from {{cookiecutter.project_slug}}.logging.destinations import SQLiteDestination
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

UnifiedLogger.initialize(SQLiteDestination(sys.argv[1]))
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
for number in range(2_000):
    logger.info(f"{number} " + "x" * 500)
until(lambda: UnifiedLogger.counters()[0].last_error)
counters = UnifiedLogger.counters()[0]
assert counters.dropped == counters.failed == 0
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
until(lambda: UnifiedLogger.counters()[0].written == 2_000)
