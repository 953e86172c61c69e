"""Log through the whole stack as a script does, told by lines of JSON on stdin, each answered by one on stdout."""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from loguru import logger
from my_mcp_server.config import load_config
from my_mcp_server.logging.destinations.base import LogEntry
from my_mcp_server.logging.factory import create_log_destination
from my_mcp_server.logging.unified_logger import UnifiedLogger

FULL = 0.8
"""Share of a buffer beyond which paced logging waits."""
LOOK = 50
"""Entries between two looks at the buffers."""


class Producer:
    """What can be asked for, each by its name."""

    def __init__(self) -> None:
        self._config = load_config()
        self._streaming = threading.Event()
        self._stream: threading.Thread | None = None
        UnifiedLogger.initialize(create_log_destination(self._config), settings=self._config)

    def log(self, text: str, first: int, count: int) -> float:
        """Log numbered lines, waiting while a buffer is nearly full; return the seconds that took."""
        begin = time.perf_counter()
        for number in range(first, first + count):
            if number % LOOK == 0:
                self._wait_for_room()
            logger.info(f"{text} {number}")
        return time.perf_counter() - begin

    def emit(self, entries: list[dict[str, Any]]) -> None:
        """Hand on entries as they are."""
        for values in entries:
            UnifiedLogger.emit(LogEntry.from_dict(values))

    def stream(self, text: str, first: int, rate: float) -> None:
        """Log numbered lines in the background, `rate` a second."""

        def run() -> None:
            number = first
            while not self._streaming.wait(1 / rate):
                logger.info(f"{text} {number}")
                number += 1

        self._stream = threading.Thread(target=run)
        self._stream.start()

    def stop(self) -> None:
        """End the stream."""
        self._streaming.set()
        if self._stream is not None:
            self._stream.join()

    def flush(self, timeout: float) -> bool:
        """Wait until everything is delivered; return whether it was."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and any(item["queued"] for item in self.counters().values()):
            UnifiedLogger.flush(1)
        return not any(item["queued"] for item in self.counters().values())

    def counters(self) -> dict[str, dict[str, Any]]:
        """Return the counters by destination, without the console's."""
        return {item.destination: asdict(item) for item in UnifiedLogger.counters()[:-1]}

    def _wait_for_room(self) -> None:
        limit = FULL * self._config.log_buffer_size
        while any(item.queued > limit for item in UnifiedLogger.counters()[:-1]):
            time.sleep(0.005)


if __name__ == "__main__":
    producer = Producer()
    for line in sys.stdin:
        name, arguments = json.loads(line)
        print(json.dumps(getattr(producer, name)(**arguments)), flush=True)
