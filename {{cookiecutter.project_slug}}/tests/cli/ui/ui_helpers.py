"""Ask the application of the page as a web server does, without a socket."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
from fake_destinations import MemoryDestination
from helpers import PATIENCE

from {{cookiecutter.project_slug}}.cli.ui.app import create_app
from {{cookiecutter.project_slug}}.cli.ui.stores import Stores
from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL

from ...logging.destinations.test_contract import READABLE, params

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import timedelta

    from {{cookiecutter.project_slug}}.cli.ui.security import Guard
    from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination, LogEntry

TOKEN = "a-token-of-these-tests"
ONCE = "a-token-that-works-once"
COOKIE = "page-8123"
HOST = "127.0.0.1:8123"
SOURCES: dict[str, Callable[[str], LogDestination]] = {"memory": lambda _: MemoryDestination(), **READABLE}
"""What builds the destinations that the page is tested with: one that only has `query`, and the readable ones."""

every_source = pytest.mark.parametrize("source_name", params(SOURCES))
local_source = pytest.mark.parametrize("source_name", ["memory", *LOCAL])


class BrokenDestination(MemoryDestination):
    """Raise `error` instead of answering, if it is set."""

    name = "broken"

    def __init__(self) -> None:
        super().__init__()
        self.error: BaseException | None = None
        self.queries = 0

    async def query(self, **filters: Any) -> list[Any]:
        """Raise, or answer."""
        self.queries += 1
        if self.error is not None:
            raise self.error
        return await super().query(**filters)


class SilentDestination(MemoryDestination):
    """Answer no query; tell whether one is open, and whether it was cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = False
        self.is_cancelled = False

    async def query(self, **_: Any) -> list[Any]:
        """Wait until cancelled."""
        self.is_asked = True
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.is_cancelled = True
            raise
        return []


class OldestDestination(MemoryDestination):
    """Find the oldest entry; keep the periods that were searched; answer slowly."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__()
        self.seconds = seconds
        self.periods: list[timedelta] = []

    async def oldest(self) -> datetime | None:
        """Return its time."""
        return min((entry.timestamp for entry in self.entries), default=None)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Answer after a while."""
        now = datetime.now(UTC)
        self.periods.append(filters.get("until", now) - filters.get("since", now))
        await asyncio.sleep(self.seconds)
        return await super().query(**filters)


@dataclass
class Answer:
    """The answer to a request. It is whole if its end was sent; `error` is what the application raised."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    pieces: int = 0
    is_whole: bool = False
    error: BaseException | None = None

    def header(self, name: str) -> str:
        """Return the values of a header."""
        return ", ".join(value for each, value in self.headers if each == name.lower())

    def json(self) -> Any:
        """Return the JSON value in the body."""
        assert self.header("content-type") == "application/json"
        return json.loads(self.body)


def app_of(
    source: LogDestination | None = None, *, cookie: str = COOKIE, is_ending: Callable[[], bool] = lambda: False
) -> Guard:
    """Return the application for a destination."""
    source = MemoryDestination() if source is None else source
    stores = Stores(ServerConfig())
    return create_app(
        source, stores=stores, token=TOKEN, once=ONCE, host="127.0.0.1", cookie=cookie, is_ending=is_ending
    )


class Visit:
    """A request on its way, and what is answered so far."""

    def __init__(self, app: Guard, path: str, method: str, headers: dict[str, str]) -> None:
        path, _, query = path.partition("?")
        self.answer = Answer()
        self._left = asyncio.Event()
        self._is_sent = False
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8123),
        }
        self._task = asyncio.create_task(app(scope, self._receive, self._send))

    def leave(self) -> None:
        """Close the connection."""
        self._left.set()

    async def end(self) -> Answer:
        """Wait for the end of the answer, and return it."""
        ended, _ = await asyncio.wait({self._task}, timeout=PATIENCE)
        assert ended, "the answer has no end"
        self.answer.error = self._task.exception()
        return self.answer

    async def _receive(self) -> dict[str, Any]:
        if not self._is_sent:
            self._is_sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.answer.status = message["status"]
            self.answer.headers = [(name.decode(), value.decode()) for name, value in message["headers"]]
            return
        self.answer.body += message.get("body", b"")
        self.answer.pieces += bool(message.get("body"))
        self.answer.is_whole = not message.get("more_body", False)


def visit(app: Guard, path: str, method: str = "GET", *, has_token: bool = True, **headers: str) -> Visit:
    """Begin a request; `user_agent` is the header `User-Agent`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    cookie = {"cookie": f"{COOKIE}={TOKEN}"} if has_token else {}
    return Visit(app, path, method, {"host": HOST, **cookie, **named})


async def ask(app: Guard, path: str, method: str = "GET", *, has_token: bool = True, **headers: str) -> Answer:
    """Return the answer to a request."""
    return await visit(app, path, method, has_token=has_token, **headers).end()


async def ask_json(app: Guard, path: str, **parameters: object) -> Any:
    """Return the JSON answer to a question with these parameters; fail if it is an error."""
    answer = await ask(app, with_parameters(path, **parameters))
    assert answer.status == 200, answer.body
    return answer.json()


def with_parameters(path: str, **parameters: object) -> str:
    """Return a path with the parameters of a question."""
    pairs = [f"{name}={quote(str(value), safe='')}" for name, value in parameters.items() if value is not None]
    return f"{path}?{'&'.join(pairs)}" if pairs else path


def events_in(body: bytes) -> list[tuple[str, Any]]:
    """Return the names and the data of server-sent events."""
    blocks = [block.splitlines() for block in body.decode().split("\n\n")[:-1] if not block.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in blocks]


@asynccontextmanager
async def streaming(app: Guard, q: str = "") -> AsyncIterator[Visit]:
    """Follow the stream of new entries; leave it at the end."""
    following = visit(app, with_parameters("/api/stream", q=q))
    yield following
    following.leave()
    await following.end()
