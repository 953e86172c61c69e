"""Log 100 lines to a destination that hangs, with 300 ms to drain."""

from fake_destinations import HangingDestination
from loguru import logger

from {{cookiecutter.project_slug}}.logging.settings import LogSettings
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

UnifiedLogger.initialize(HangingDestination(), settings=LogSettings(log_drain_timeout_ms=300))
for number in range(100):
    logger.info(number)
