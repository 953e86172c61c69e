"""What the Convex tests share: the deployment under test, an HTTP server that imitates one, settings and documents."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Any

import orjson

from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexSettings
from {{cookiecutter.project_slug}}.logging.destinations.convex.encoding import NAMES, encode_requests

URL = os.environ.get("TEST_CONVEX_URL", "http://127.0.0.1:3211")
KEY = os.environ.get("TEST_CONVEX_API_KEY", "local-test-key")
SECRET = "s3cret-key"
STORED = object()
"""The answer of a deployment that stores all entries of the request."""
STORED_BY_SCHEMA_1 = object()
"""The same answer of functions of schema 1, which do not name their fields."""


def make_settings(url: str = URL, key: str = KEY, **values: Any) -> ConvexSettings:
    """Return settings with a URL and a key; writes have 16 seconds, unless the settings limit them."""
    given = {"log_write_timeout_ms": 20_000, **values}
    return ConvexSettings(convex_endpoint_url=url, convex_api_key=key, **given)


def documents(*entries: Any) -> list[dict[str, Any]]:
    """Return the documents of entries, as a request contains them."""
    return [document for _, array in encode_requests(entries) for document in orjson.loads(array)]


class StubServer:
    """An HTTP server on loopback that keeps its requests and gives the answers it was created with, in turn."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers = list(answers) or [(200, STORED)]
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections: list[asyncio.Task[Any] | None] = []
        self.released = asyncio.Event()

    async def start(self) -> asyncio.Server:
        """Listen on a free port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def stop(self) -> None:
        """Release unanswered requests, and wait until all connections have ended."""
        self.released.set()
        await asyncio.gather(*filter(None, self.connections))

    @property
    def documents(self) -> list[dict[str, Any]]:
        """All documents received so far."""
        return [document for _, _, body in self.requests for document in orjson.loads(body)["logs"]]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append((head[0], headers, body))
                await self._answer(writer, body)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        """Send the next answer; the last one repeats, and one with status 0 is withheld until the end."""
        status, content = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status == 0:
            await self.released.wait()
        if content in (STORED, STORED_BY_SCHEMA_1):
            fields = {"fields": list(NAMES.values())} if content is STORED else {}
            content = {"inserted": len(orjson.loads(body)["logs"]), "duplicates": 0, "rejected": [], **fields}
        text = content if isinstance(content, bytes) else orjson.dumps(content)
        headers = f"Location: /elsewhere\r\nContent-Length: {len(text)}\r\n"
        writer.write(f"HTTP/1.1 {status} Reason\r\n{headers}\r\n".encode() + text)
        await writer.drain()
