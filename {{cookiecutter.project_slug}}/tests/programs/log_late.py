"""Log from a thread that outlives the main thread, and from an exit handler, which runs after the drain."""

import atexit
import logging
import threading

from fake_destinations import JsonLinesDestination
from loguru import logger

from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger


def log_late() -> None:
    """Log after the main thread has ended."""
    threading.main_thread().join()
    logger.info("from a late thread")
    logging.getLogger("app").warning("also late")


def check_counters() -> None:
    """Check that the line of the exit handler was counted as dropped."""
    counters = UnifiedLogger.counters()[0]
    assert (counters.accepted, counters.written, counters.dropped) == (4, 3, 1), counters


UnifiedLogger.initialize(JsonLinesDestination.from_config(None))
atexit.register(check_counters)
atexit.register(lambda: logger.info("from atexit"))
logger.info("in time")
threading.Thread(target=log_late).start()
