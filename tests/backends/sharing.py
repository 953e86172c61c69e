"""Share one server of each kind among the parallel workers of a test run.

The first worker that needs it starts it and owns it; all others build the same backend over the same work folder,
where they find its address. At its end an owner waits until the others have left, then stops the server.
"""

from __future__ import annotations

import json
import os
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import psutil
from filelock import FileLock

from .backend import write_json
from .errors import BackendError
from .processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .backend import Backend

B = TypeVar("B", bound="Backend")

LEAVE_DEADLINE = 3600.0


class Sharing:
    """The part that one worker takes in the servers of a run; `folder` is the run's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._guests = folder / "guests"
        self._guests.mkdir(parents=True, exist_ok=True)
        self._guest = self._guests / str(os.getpid())
        self._owned: list[Backend] = []

    def shared(self, name: str, make: Callable[[Path], B]) -> B:
        """Return the backend of this name, started by whoever came first.

        Raises `BackendError` if it cannot start; the workers that come later raise the same at once.
        """
        self._guest.touch()
        with self._lock(name):
            backend = make(self.folder / name)
            self._start(backend)
        return backend

    def close(self) -> None:
        """Leave, then stop the servers that are ours when all others have left."""
        # To leave comes first: two owners that were each other's guests would wait for ever.
        self._guest.unlink(missing_ok=True)
        while self._owned:
            backend = self._owned.pop()
            wait_until(partial(self._stop, backend), LEAVE_DEADLINE, interval=0.2)
            backend.stop()

    def _start(self, backend: Backend) -> None:
        """Start the server unless a worker that is alive has done so."""
        file = _state_file(backend)
        state = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if "error" in state:
            raise BackendError(state["error"])
        if psutil.pid_exists(state.get("owner", -1)):
            return
        try:
            backend.start()
        except BackendError as error:
            write_json(file, {"error": str(error)})
            raise
        self._owned.append(backend)
        write_json(file, {"owner": os.getpid(), "pid": backend.server.pid, "address": backend.address})

    def _stop(self, backend: Backend) -> bool:
        """Stop the server if no other worker is left; one that crashed has left as well."""
        with self._lock(backend.workdir.name):
            if any(psutil.pid_exists(int(guest.name)) for guest in self._guests.iterdir()):
                return False
            _state_file(backend).unlink(missing_ok=True)
            backend.stop()
            return True

    def _lock(self, name: str) -> FileLock:
        """Return the lock that makes workers wait for each other."""
        return FileLock(self.folder / f"{name}.lock")


def _state_file(backend: Backend) -> Path:
    """Return the file that says who owns the running server and where it is."""
    return backend.workdir / "server.json"
