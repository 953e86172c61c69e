"""A fork waits while another thread holds locks, and never for its own thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helpers import program

if TYPE_CHECKING:
    from collections.abc import Callable

SCRIPT = """
import asyncio, os, sys, threading, time
from helpers import until
from PACKAGE.logging import forks
"""


def test_a_fork_inside_a_block_that_holds_off_forks(run: Callable[..., Any]) -> None:
    """The thread does not wait for itself, and in the child forks are held off as before."""
    result = run(
        "-W",
        "ignore",
        *program(
            SCRIPT
            + """
def hold():
    with forks.hold_off_forks(): held.set(); until(lambda: forks._guard._waiting_forks); ended.append(True)
def fork():
    os.fork() or os._exit(0)
    assert ended, "the child was not held off"
begun, held, ended = time.monotonic(), threading.Event(), []
with forks.hold_off_forks(): child = os.fork()
assert time.monotonic() - begun < forks.FORK_TIMEOUT / 2, "the thread waited for itself"
if child: sys.exit(os.waitpid(child, 0)[1] != 0)
threading.Thread(target=hold, daemon=True).start(); held.wait()
asyncio.run(asyncio.to_thread(fork))
"""
        ),
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_fork_does_not_wait_for_ever(run: Callable[..., Any]) -> None:
    """A thread that never leaves its block delays a fork by the timeout only."""
    result = run(
        "-W",
        "ignore",
        *program(
            SCRIPT
            + """
forks.FORK_TIMEOUT = 0.2
def hang():
    with forks.hold_off_forks(): held.set(); threading.Event().wait()
held = threading.Event()
threading.Thread(target=hang, daemon=True).start(); held.wait()
begun = time.monotonic()
child = os.fork()
if not child: os._exit(0)
assert 0.2 <= time.monotonic() - begun < 5
assert os.waitpid(child, 0)[1] == 0
"""
        ),
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_callbacks_run_in_the_child_only(run: Callable[..., Any]) -> None:
    """Each registered callback runs once per fork."""
    result = run(
        "-W",
        "ignore",
        *program(
            SCRIPT
            + """
called = []
forks.after_fork_in_child(lambda: called.append(os.getpid()))
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
    assert not called
else:
    os._exit(called != [os.getpid()])
"""
        ),
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
