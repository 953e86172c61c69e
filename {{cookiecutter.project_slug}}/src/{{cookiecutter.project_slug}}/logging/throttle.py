"""Limit how often something happens."""

from __future__ import annotations

import time


class Throttle:
    """Let an action run at most once per `seconds`; the first time is immediate."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._last = float("-inf")

    def ready(self) -> bool:
        """Return whether the action may run now; if so, start the next interval."""
        now = time.monotonic()
        if now - self._last < self.seconds:
            return False
        self._last = now
        return True

    def reset(self) -> None:
        """Let the action run again at once."""
        self._last = float("-inf")
