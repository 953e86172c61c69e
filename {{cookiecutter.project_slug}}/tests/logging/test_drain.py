"""Entries are delivered when a program ends."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
from helpers import program_path, read_json_lines

from {{cookiecutter.project_slug}}.logging.drain import DRAIN_THREAD, drain_at_exit

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("ending", "returncode"),
    [("return", 0), ("exit", 3), ("exception", 1), ("event loop", 0), ("interrupt", -2)],
)
def test_a_script_delivers_its_lines_however_it_ends(run: Run, tmp_path: Path, ending: str, returncode: int) -> None:
    """The script only calls `initialize`."""
    result = run(program_path("log_many_lines"), ending)
    assert (result.returncode, result.stdout) == (returncode, ""), result.stderr
    messages = [entry["message"] for entry in read_json_lines(tmp_path / "entries.jsonl")]
    assert messages[:1_000] == [f"line {number}" for number in range(1_000)]


def test_the_drain_waits_for_non_daemon_threads(run: Run) -> None:
    """Their lines are delivered; a line from an exit handler, which runs later, is dropped and shown on stderr."""
    result = run(program_path("log_late"))
    assert (result.returncode, result.stdout) == (0, "")
    assert "Traceback" not in result.stderr
    assert all(line in result.stderr for line in ("in time", "from a late thread", "also late", "from atexit"))


def test_a_hanging_destination_does_not_keep_a_process_from_ending(run: Run) -> None:
    """The drain has a timeout, and stderr shows the number of lost entries."""
    result = run(program_path("log_to_hanging_destination"))
    assert result.returncode == 0
    assert time.time() - float(result.stdout) < 5
    assert "memory: written 0, retried 0, dropped 100, failed 0, queued 0" in result.stderr


def test_the_drain_thread_is_waiting_while_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter waits for it, and it calls `shutdown` after the main thread has ended."""
    drained = threading.Event()
    main = threading.Thread(target=threading.Event().wait, args=(0.1,))
    main.start()
    monkeypatch.setattr(threading, "main_thread", lambda: main)
    monkeypatch.setattr(threading, "enumerate", lambda: [main, threading.current_thread()])
    thread = drain_at_exit(drained.set)
    assert (thread.name, thread.daemon) == (DRAIN_THREAD, False)
    assert drained.wait(5)
    assert not main.is_alive()
    thread.join(5)
