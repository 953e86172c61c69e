"""The process that serves the page of a baked project."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from tests.backends.processes import ServerProcess, free_ports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project


class Ui:
    """A page over what a folder records; it keeps its port when it is started again."""

    def __init__(self, project: Project, folder: Path, *options: str, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        (self.port,) = free_ports(1)
        self.origin = f"http://127.0.0.1:{self.port}"
        self._command = [project.command, "ui", "--no-browser", "--port", str(self.port), *options]
        self._environment = project.environment(folder, **settings)
        self._process = ServerProcess("the page", folder)

    @property
    def url(self) -> str:
        """The address that the running process printed."""
        lines = self._process.log.read_text(encoding="utf-8").splitlines()
        return next((line for line in lines if line.startswith(self.origin)), "")

    def start(self) -> None:
        """Start the process, and return when it has printed its address."""
        self._process.log.unlink(missing_ok=True)
        self._process.start(self._command, lambda: bool(self.url), environment=self._environment)

    def stop(self) -> None:
        """End the process."""
        self._process.stop()


def count(folder: Path, condition: str = "log_type = 'tool_execution'") -> int:
    """Return how many recorded entries fulfil a condition in SQL."""
    with closing(sqlite3.connect(folder / "logs.db")) as connection:
        number: int = connection.execute(f"SELECT count(*) FROM unified_logs WHERE {condition}").fetchone()[0]
    return number
