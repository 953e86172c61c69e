"""Log 5,000 lines while a signal handler logs every millisecond."""

import logging
import signal

from fake_destinations import JsonLinesDestination

from {{cookiecutter.project_slug}}.logging.settings import LogSettings
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

UnifiedLogger.initialize(JsonLinesDestination.from_config(None), settings=LogSettings(log_buffer_size=100_000))
signal.signal(signal.SIGALRM, lambda *_: logging.getLogger("handler").info("tick"))
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for number in range(5_000):
    logging.getLogger("app").info("line %d", number)
signal.setitimer(signal.ITIMER_REAL, 0)
