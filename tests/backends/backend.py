"""What all backends have: an address that outlives a restart, and start, stop, pause and resume."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

from .errors import BackendError, SoftwareError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from .processes import ServerProcess


class Backend(ABC):
    """A real server in a work folder, which holds its data, its log and its address.

    Another backend over the same folder, also in another process, has the same address; only the one that started
    the server can stop it.
    """

    environment: ClassVar[Mapping[str, str]] = {}

    def __init__(self, workdir: Path, server: ServerProcess) -> None:
        self.workdir = workdir.resolve()
        self.server = server

    @property
    @abstractmethod
    def address(self) -> str:
        """Return what a client is given to connect."""

    @abstractmethod
    def prepare(self) -> None:
        """Write configuration and data folders where they are missing."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether a client would be served now."""

    def start(self) -> None:
        """Start the server, or start it again with the same port and data. Raises `BackendError` if it cannot."""
        try:
            self.prepare()
            self.server.start(self.command(), self.answers, environment=self.environment)
        except (OSError, LookupError, SoftwareError) as error:
            msg = f"{self.server.name} cannot start: {error} (its work folder: {self.workdir})"
            raise BackendError(msg) from error

    def stop(self) -> None:
        """Stop the server and keep its data."""
        self.server.stop()

    def pause(self) -> None:
        """Freeze the server: it accepts connections and never answers."""
        self.server.pause()

    def resume(self) -> None:
        """Let the server go on after `pause`."""
        self.server.resume()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def remembered(workdir: Path, **made: str) -> dict[str, str]:
    """Return the address kept in the work folder; keep the one just made if there is none yet."""
    workdir.mkdir(parents=True, exist_ok=True)
    file = workdir / "address.json"
    if not file.exists():
        write_json(file, made)
    kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
    return kept


def write_json(file: Path, content: Mapping[str, object]) -> None:
    """Write a JSON file that nobody ever sees half-written."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.part")
    partial.write_text(json.dumps(content, indent=2), encoding="utf-8")
    partial.replace(file)
