"""The running command `ui`, asked over HTTP as the page asks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from benchmarks.project import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Ui:
    """A connection to the command."""

    def __init__(self, address: str) -> None:
        self.url = address
        parts = urlsplit(address)
        self.port = parts.port or 0
        self.token = parse_qs(parts.query)["token"][0]
        self._connection = HTTPConnection("127.0.0.1", self.port, timeout=600)

    def ask(self, path: str, parameters: dict[str, str]) -> dict[str, Any]:
        """Return an answer of the API."""
        self._connection.request("GET", f"{path}?{urlencode({**parameters, 'token': self.token})}")
        reply = self._connection.getresponse()
        answer: dict[str, Any] = json.loads(reply.read())
        self._connection.close()  # as the command does after some idle seconds
        if reply.status != 200:  # noqa: PLR2004 - OK
            raise AssertionError(str(answer))
        return answer

    def search(self, parameters: dict[str, str]) -> list[dict[str, Any]]:
        """Return a page of what a text search finds, asked for step by step as the page does."""
        found, before = list[dict[str, Any]](), ""
        missing = int(parameters["limit"])
        while missing > len(found):
            step = {**parameters, "limit": str(missing - len(found)), "before": before}
            answer = self.ask("/api/entries", {name: value for name, value in step.items() if value})
            found += answer["entries"]
            if (before := answer["next"] or "") == "":
                break
        return found


@contextmanager
def running(folder: Path, source: str, **settings: str) -> Iterator[Ui]:
    """Serve the page in a folder until the end of the block."""
    command = [sys.executable, "-m", PACKAGE, "ui", "--no-browser", "--from", source]
    with subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, cwd=folder, env=os.environ | settings, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Ui(process.stdout.readline().strip() if process.stdout else "")
        finally:
            process.terminate()
