"""Drain the logs when a program ends."""

from __future__ import annotations

import threading
from collections.abc import Callable

DRAIN_THREAD = "log-drain"


def drain_at_exit(shutdown: Callable[[], None]) -> threading.Thread:
    """Start a thread that calls `shutdown` after the main thread and all other non-daemon threads have ended.

    `atexit` is too late: the interpreter joins the drivers' threads before it runs.
    """

    def drain() -> None:
        main, own = threading.main_thread(), threading.current_thread()
        main.join()
        while others := [each for each in threading.enumerate() if not each.daemon and each not in (main, own)]:
            others[0].join()
        shutdown()

    thread = threading.Thread(target=drain, name=DRAIN_THREAD, daemon=False)
    thread.start()
    return thread
