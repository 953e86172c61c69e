"""Child processes that tools leave behind end with the server."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from helpers import PATIENCE, until

from .server_helpers import HELLO, is_running, request
from .test_forks import SERVE

if TYPE_CHECKING:
    from .server_helpers import Entries, Start


@pytest.mark.parametrize("number", [None, signal.SIGTERM])
@pytest.mark.parametrize("daemon", [True, False])
def test_a_child_that_is_left_behind_ends_with_the_server(
    own_logging: Entries, start: Start, daemon: bool, number: int | None
) -> None:
    """The interpreter alone would wait for it."""
    process = start("-W", "ignore", *SERVE)
    request(process, 0, "initialize", **HELLO)
    result = request(process, 1, "tools/call", name="leave_process", arguments={"daemon": daemon})
    child = result["structuredContent"]["result"]
    started = time.monotonic()
    if number is None:
        process.stdin.close()
    else:
        process.send_signal(number)
    assert process.wait(PATIENCE) == (0 if number is None else 128 + number)
    assert time.monotonic() - started < 2
    until(lambda: not is_running(child), timeout=1)


@pytest.mark.parametrize("daemon", [True, False])
def test_a_child_that_ignores_sigterm_delays_the_end_by_the_deadline_only(
    own_logging: Entries, start: Start, daemon: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lives on, and the client's pipes are closed all the same."""
    monkeypatch.setenv("LOG_DRAIN_TIMEOUT_MS", "500")
    process = start("-W", "ignore", *SERVE)
    request(process, 0, "initialize", **HELLO)
    result = request(process, 1, "tools/call", name="leave_process", arguments={"daemon": daemon, "stubborn": True})
    child = result["structuredContent"]["result"]
    try:
        started = time.monotonic()
        process.stdin.close()
        assert process.stdout.read() == ""
        assert process.wait(PATIENCE) == 0
        assert time.monotonic() - started < 1.5
        assert is_running(child)
    finally:
        os.kill(child, signal.SIGKILL)
