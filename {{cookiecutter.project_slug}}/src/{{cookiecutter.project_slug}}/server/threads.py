"""End the process although tool modules have left threads or child processes running."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

from ..logging.drain import DRAIN_THREAD
from .children import running_children, terminate

GRACE = 0.1
"""Seconds that a thread, such as a worker that is being stopped, has to end by itself."""


def exit_past_threads(exit_code: int) -> None:
    """End the process at once if a tool module has started threads that would keep it alive.

    Terminate its child processes: the interpreter would wait for them, too.
    """
    terminate(child for child in running_children() if not child.daemon)
    ours = (threading.main_thread(), threading.current_thread())
    others = [each for each in threading.enumerate() if not (each.daemon or each in ours or each.name == DRAIN_THREAD)]
    for thread in others:
        thread.join(GRACE)
        if thread.is_alive():
            with suppress(OSError, ValueError):  # a closed pipe
                sys.stdout.flush()
                sys.stderr.flush()
            terminate(running_children())
            os._exit(exit_code)
