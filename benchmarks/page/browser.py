"""Ask as an open page does: follow new entries, and count the calls again some time after some have arrived."""

from __future__ import annotations

import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlencode

from .questions import BUCKETS, ROWS
from .ui import Ui

REDRAW = 2.0
"""Seconds, as in the page."""


def main(url: str) -> None:
    """Ask until the process is ended."""
    ui = Ui(url)
    ui.ask("/api/entries", {"limit": str(ROWS)})
    ui.ask("/api/histogram", {"buckets": str(BUCKETS)})
    stream = HTTPConnection("127.0.0.1", ui.port)
    stream.request("GET", f"/api/stream?{urlencode({'token': ui.token})}")
    reply, counted = stream.getresponse(), time.monotonic()
    while line := reply.readline():
        if line.startswith(b"event: entries") and time.monotonic() - counted > REDRAW:
            ui.ask("/api/histogram", {"buckets": str(BUCKETS)})
            counted = time.monotonic()


if __name__ == "__main__":
    main(sys.argv[1])
