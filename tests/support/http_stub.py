"""An HTTP backend that answers as it is told: it knows as much of Convex and Elasticsearch as batches need."""

from __future__ import annotations

import asyncio
import json
import re
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from scripts.project import ROOT

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

ELASTICSEARCH = ("Content-Type: application/json", "X-Elastic-Product: Elasticsearch")
"""What every answer of Elasticsearch has; Convex's destination does not look at it."""
CONVEX_FIELDS = re.findall(
    r"^  (\w+): (?:text|number|object|v\.\w+\(\)),$",
    (ROOT / "{{cookiecutter.project_slug}}" / "convex" / "entry.ts").read_text(encoding="utf-8"),
    re.MULTILINE,
)
"""The fields that the functions in `convex/` know, which they tell in each answer."""
BODY_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True)
class Failure:
    """An answer that is none: a status, headers beyond those of `origin`, and a body.

    One to `entries_only` lets a destination open.
    """

    status: int
    headers: tuple[str, ...] = ()
    body: bytes = b'{"error": "sample"}'
    origin: tuple[str, ...] = ELASTICSEARCH
    entries_only: bool = False


GARBAGE = Failure(200, body=b"<html>\x00\xff not what was asked for")
"""A success that says nothing."""
PAGE = Failure(200, body=b"<html>back soon", origin=("Content-Type: text/html",))
"""A success that says nothing, of a proxy that stands where the backend stood."""


@dataclass
class HttpStub:
    """Takes entries as Convex's ingest action and as Elasticsearch's `_bulk`, unless it has a failure to answer with.

    `tls` makes it a TLS server.
    """

    failure: Failure | None = None
    tls: ssl.SSLContext | None = None
    port: int = 0
    requests: int = 0
    entries: dict[str, dict[str, str]] = field(default_factory=lambda: {"convex": {}, "elasticsearch": {}})
    """Messages of the entries it took, by their id, as Convex and as Elasticsearch."""
    bodies: deque[str] = field(default_factory=lambda: deque(maxlen=100))
    """The last requests, as they came."""
    _server: asyncio.Server | None = None
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.tls, limit=BODY_LIMIT)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def lines(self, name: str, text: str = "line") -> int:
        """Return how many lines of the application it has, as Convex or as Elasticsearch."""
        return sum(message.startswith(f"{text} ") for message in self.entries[name].values())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._answer(reader, writer):
                    pass
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *headers = head.split("\r\n")
        sizes = [int(header.split(":")[1]) for header in headers if header.lower().startswith("content-length:")]
        body = await reader.readexactly(sizes[0]) if sizes else b""
        self.requests += 1
        self.bodies.append(body.decode(errors="replace"))
        status, more, content = self._reply(request.split(" ")[1], body)
        lines = [
            f"HTTP/1.1 {status} Sample",
            f"Content-Length: {len(content)}",
            *more,
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        await writer.drain()
        return True

    def _reply(self, path: str, body: bytes) -> tuple[int, tuple[str, ...], bytes]:
        if self.failure is not None and (_holds_entries(body) or not self.failure.entries_only):
            return self.failure.status, (*self.failure.origin, *self.failure.headers), self.failure.body
        if path.startswith("/logs/ingest"):
            return 200, ELASTICSEARCH, json.dumps(self._ingest(json.loads(body)["logs"])).encode()
        if "_bulk" in path:
            return 200, ELASTICSEARCH, json.dumps({"errors": False, "items": self._bulk(body)}).encode()
        return 200, ELASTICSEARCH, b'{"acknowledged": true, "index_templates": [{"index_template": {"version": 1000}}]}'

    def _ingest(self, logs: list[dict[str, Any]]) -> dict[str, Any]:
        before = len(self.entries["convex"])
        for document in logs:
            self.entries["convex"].setdefault(document["entryId"], document["message"])
        inserted = len(self.entries["convex"]) - before
        return {"inserted": inserted, "duplicates": len(logs) - inserted, "rejected": [], "fields": CONVEX_FIELDS}

    def _bulk(self, body: bytes) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in body.splitlines()]
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            self.entries["elasticsearch"].setdefault(action["create"]["_id"], document["message"])
        return [{"create": {"status": 201}} for _ in lines[::2]]


def _holds_entries(body: bytes) -> bool:
    return b'"entryId"' in body or b'"entry_id"' in body
