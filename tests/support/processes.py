"""Processes of the baked project that answer lines with lines: a server over stdio, and a script that logs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Self

from .project import FIXTURES, SLUG, Project
from .protocol import INITIALIZE
from .servers import checked

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

PATIENCE = 60.0
"""Seconds an answer may take before the process is killed, which fails the test."""


class LineProcess:
    """A process with pipes; settings are environment variables, what it says on stderr is kept in its folder."""

    def __init__(self, project: Project, folder: Path, command: Sequence[str], **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = folder / "logs.db"
        self._stderr = folder / "stderr.txt"
        with self._stderr.open("ab") as stderr:
            self.process = subprocess.Popen(
                [project.python, *command],
                cwd=folder,
                env=project.environment(folder, **settings),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def stderr_text(self) -> str:
        """Return what it said on stderr so far."""
        return self._stderr.read_text(encoding="utf-8", errors="replace")

    def end(self) -> int:
        """Close stdin and return the exit code; by force where the process does not end by itself."""
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate(timeout=PATIENCE) if self.process.poll() is None else None
        self.process.kill()
        for pipe in filter(None, (self.process.stdin, self.process.stdout)):
            pipe.close()
        return self.process.wait()

    def send(self, message: object) -> None:
        """Write one line of JSON."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def receive(self) -> Any:
        """Read one line of JSON; fail when the process ends, or says nothing for a minute."""
        assert self.process.stdout is not None
        alarm = threading.Timer(PATIENCE, self.process.kill)
        alarm.start()
        try:
            line = self.process.stdout.readline()
        finally:
            alarm.cancel()
        assert line, f"ended, or did not answer within {PATIENCE:.0f} s: {self.stderr_text()[-4000:]}"
        return json.loads(line)


class LineServer(LineProcess):
    """The project's server over stdio, with a session that has begun."""

    def __init__(self, project: Project, folder: Path, **settings: str) -> None:
        super().__init__(project, folder, ["-m", SLUG], **settings)
        self._last = 0

    def __enter__(self) -> Self:
        try:
            self.request("initialize", INITIALIZE)
            self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        except BaseException:
            self.process.kill()
            self.end()
            raise
        return self

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return its result."""
        self._last += 1
        self.send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        while (reply := self.receive()).get("id") != self._last:
            pass
        result: dict[str, Any] = reply["result"]
        return result

    def call(self, name: str, **arguments: object) -> str:
        """Call a tool and return the text of its answer, also of one that is an error."""
        text: str = self.request("tools/call", {"name": name, "arguments": arguments})["content"][0]["text"]
        return text


class Producer(LineProcess):
    """A script that logs through the whole stack; see `fixtures/producer.py` for what can be asked of it."""

    def __init__(self, project: Project, folder: Path, **settings: str) -> None:
        super().__init__(project, folder, [str(FIXTURES / "producer.py")], **settings)

    def ask(self, name: str, **arguments: object) -> Any:
        """Ask for something and return the answer."""
        self.send([name, arguments])
        return self.receive()

    def counters(self) -> dict[str, dict[str, Any]]:
        """Return the counters by destination, whose sum always holds."""
        return checked(self.ask("counters"))
