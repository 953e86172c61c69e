"""Report the failures of one destination on stderr, once in a while."""

from __future__ import annotations

import logging
import time

from ..errors import describe_error
from ..throttle import Throttle

REPORT_INTERVAL = 30.0  # seconds between two reports about one destination

_logger = logging.getLogger(__name__)


class FailureReporter:
    """Report failures and recoveries. It runs on the writer thread, whose log lines go to stderr only."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.last_error: str | None = None
        self._throttle = Throttle(REPORT_INTERVAL)
        self._down_since: float | None = None
        self._outage_was_reported = False

    def report(self, error: BaseException, consequence: str, *, dropped: int) -> None:
        """Remember an error, and log it unless something was logged recently."""
        self.last_error = describe_error(error)
        if self._throttle.ready():
            self._outage_was_reported = True
            _logger.error("%s: %s (%s, %d dropped so far)", self.name, self.last_error, consequence, dropped)

    def down(self, error: BaseException, consequence: str, *, dropped: int) -> None:
        """Report that the destination accepts nothing."""
        if self._down_since is None:
            self._down_since = time.monotonic()
            self._outage_was_reported = False
        self.report(error, consequence, dropped=dropped)

    def recovered(self) -> None:
        """Report that the destination accepts entries again, if its outage was reported."""
        if self._down_since is not None and self._outage_was_reported:
            _logger.warning("%s: delivering again after %.0f s", self.name, time.monotonic() - self._down_since)
        self._down_since = None

    def overflow(self, capacity: int, *, dropped: int) -> None:
        """Report that the buffer is full."""
        _logger.error("%s: its buffer of %d entries is full (%d dropped so far)", self.name, capacity, dropped)
