"""Start a server process, wait until it answers, pause it, stop it, and never leave it behind."""

from __future__ import annotations

import contextlib
import functools
import os
import pwd
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import psutil

from .errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

START_DEADLINE = 120.0
STOP_DEADLINE = 20.0
TAIL = 20
REAPER = threading.Lock()
"""Servers may be started side by side, by threads."""


def wait_until(condition: Callable[[], bool], deadline: float, *, interval: float = 0.05) -> bool:
    """Ask again and again until the condition holds; return False if it does not within `deadline` seconds."""
    end = time.monotonic() + deadline
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(interval)
    return True


def free_ports(count: int) -> list[int]:
    """Return loopback ports that are free now.

    They are below the range that systems hand out to clients, so that no connection takes one while its server is
    stopped.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = 20_000 + secrets.randbelow(12_000)
        if port not in ports and _is_free(port):
            ports.append(port)
    return ports


def listens(port: int) -> bool:
    """Tell whether something accepts connections on a loopback port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class ServerProcess:
    """One server: its process, its children and its log.

    `user` is who it runs as (only root may ask for that), `stop_signal` what ends it cleanly.
    """

    def __init__(self, name: str, workdir: Path, *, user: str | None = None, stop_signal: int = signal.SIGTERM) -> None:
        self.name = name
        self.workdir = workdir.resolve()
        self.log = self.workdir / "server.log"
        self._user = user
        self._stop_signal = stop_signal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the process id, None when the server is stopped."""
        return self._process.pid if self._process else None

    def run(self, command: Sequence[str], what: str, *, environment: Mapping[str, str] | None = None) -> None:
        """Run a command that prepares the server to its end. Raises `BackendError` if it fails."""
        code = self._spawn(command, environment).wait()
        if code:
            self._fail(f"{what} failed with exit code {code}")

    def start(
        self, command: Sequence[str], answers: Callable[[], bool], *, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start the server and return when it answers. Raises `BackendError` if it ends, or does not within 2 min."""
        if self._process is not None:
            self._fail("it runs already")
        self._process = self._spawn(command, environment)
        _tell_reaper(f"+{self._process.pid}")
        try:
            self._await(self._process, answers)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server: first politely, after 20 s by SIGKILL. Does nothing if it is stopped."""
        if self._process is None:
            return
        family = list(self._family())
        self.resume()
        self._process.send_signal(self._stop_signal)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_DEADLINE)
        for process in family:
            _signal(process, signal.SIGKILL)
        self._process.wait()
        _tell_reaper(f"-{self._process.pid}")
        self._process = None

    def pause(self) -> None:
        """Freeze the server: connections are accepted by the kernel and never answered."""
        for process in self._family():
            _signal(process, signal.SIGSTOP)

    def resume(self) -> None:
        """Let the server go on after `pause`."""
        for process in self._family():
            _signal(process, signal.SIGCONT)

    def _spawn(self, command: Sequence[str], environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
        """Start a process group of its own, which no Ctrl-C of the terminal reaches."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.workdir,
                env={**os.environ, **(environment or {})},
                process_group=0,
                user=self._user,
                group=self._user and _group(self._user),
                extra_groups=[] if self._user else None,
            )

    def _await(self, process: subprocess.Popen[bytes], answers: Callable[[], bool]) -> None:
        """Wait until the server answers or has ended."""
        in_time = wait_until(lambda: process.poll() is not None or answers(), START_DEADLINE)
        if process.poll() is not None:
            self._fail(f"its process ended with exit code {process.returncode} before it answered")
        if not in_time:
            self._fail(f"it did not answer within {START_DEADLINE:.0f} s")

    def _family(self) -> Iterator[psutil.Process]:
        """Yield the server, then its children: PostgreSQL puts each into a process group of its own."""
        if self._process is None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            server = psutil.Process(self._process.pid)
            yield server
            yield from server.children(recursive=True)

    def _fail(self, what: str) -> NoReturn:
        """Raise the error that says what failed and how the log ends."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        msg = "\n".join([f"{self.name} cannot start: {what}; its log {self.log} ends:", *lines[-TAIL:]])
        raise BackendError(msg)


def _is_free(port: int) -> bool:
    """Tell whether a server could bind the port."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _group(user: str) -> int:
    """Return the first group of a user."""
    return pwd.getpwnam(user).pw_gid


def _signal(process: psutil.Process, number: int) -> None:
    """Send a signal to a process that may have ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _tell_reaper(line: str) -> None:
    """Write one line to the reaper. One that was killed is no reason to fail: it only watches over crashes."""
    with REAPER, contextlib.suppress(BrokenPipeError):
        pipe = _reaper().stdin
        if pipe is not None:
            pipe.write(f"{line}\n".encode())
            pipe.flush()


@functools.cache
def _reaper() -> subprocess.Popen[bytes]:
    """Start the reaper of this test process, once."""
    command = [sys.executable, os.fspath(Path(__file__).with_name("reaper.py"))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
