"""What goes over the wire to Convex, and what each answer leads to."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination
from {{cookiecutter.project_slug}}.logging.errors import (
    AccessError,
    DeliveryError,
    InvalidEntryError,
    PartialDeliveryError,
)

from .convex_helpers import SECRET, documents

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

STORED = object()
"""The answer of the functions in `convex/` to entries that are new to them."""


class Stub:
    """An HTTP server on loopback that keeps what it is sent and answers with what it was told, in turn."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers = list(answers) or [(200, STORED)]
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections: list[asyncio.Task[Any] | None] = []
        self.released = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.requests.append((head[0], headers, body))
                await self.answer(writer, body)
        writer.close()

    async def answer(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        """Send the next answer; the last one repeats, and the status 0 is none."""
        status, content = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status == 0:
            await self.released.wait()
        if content is STORED:
            content = {"inserted": len(orjson.loads(body)["logs"]), "duplicates": 0, "rejected": []}
        text = content if isinstance(content, bytes) else orjson.dumps(content)
        headers = f"Location: /elsewhere\r\nContent-Length: {len(text)}\r\n"
        writer.write(f"HTTP/1.1 {status} Said\r\n{headers}\r\n".encode() + text)
        await writer.drain()

    async def end(self) -> None:
        """Let whoever waits go, and wait until all connections have ended."""
        self.released.set()
        await asyncio.gather(*filter(None, self.connections))

    @property
    def logs(self) -> list[dict[str, Any]]:
        """All documents that arrived."""
        return [log for _, _, body in self.requests for log in orjson.loads(body)["logs"]]


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Any]]:
    """Return what starts a stub and makes a destination that talks to it."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*answers: tuple[int, object], **settings: Any) -> tuple[Stub, ConvexDestination]:
            stub = Stub(*answers)
            server = await asyncio.start_server(stub.serve, "127.0.0.1")
            stack.callback(server.close)
            stack.push_async_callback(stub.end)
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            destination = ConvexDestination(url, api_key=SECRET, **settings)
            stack.push_async_callback(destination.close)
            return stub, destination

        yield start


async def test_a_batch_is_posted_with_the_key(serve: Callable[..., Any]) -> None:
    """One request, camelCase names, ISO 8601."""
    stub, destination = await serve()
    moment = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    await destination.write_batch([make_entry("one", timestamp=moment, tool_name="echo"), make_entry("two")])
    ((line, headers, _),) = stub.requests
    assert line == "POST /logs/ingest HTTP/1.1"
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert headers["content-type"] == "application/json"
    assert [log["message"] for log in stub.logs] == ["one", "two"]
    assert stub.logs[0]["timestamp"] == "2025-01-02T03:04:05.000000+00:00"
    assert stub.logs[0]["toolName"] == "echo"


async def test_the_connection_is_kept(serve: Callable[..., Any]) -> None:
    """Opening and ten writes need one."""
    stub, destination = await serve()
    await destination.open()
    for _ in range(10):
        await destination.write(make_entry())
    assert (len(stub.requests), len(stub.connections)) == (11, 1)


async def test_a_large_batch_goes_out_in_a_few_requests(serve: Callable[..., Any]) -> None:
    """No more than 500 entries each, and four at a time."""
    stub, destination = await serve()
    entries = [make_entry(str(number)) for number in range(4_200)]
    await destination.write_batch(entries)
    assert len(stub.requests) == 9
    assert len(stub.connections) <= 4
    assert {log["entryId"] for log in stub.logs} == {entry.entry_id for entry in entries}


@pytest.mark.parametrize(
    ("status", "content", "error", "said"),
    [
        (401, {"error": "wrong key"}, AccessError, r"answered 401: wrong key .*LOG_INGEST_KEY"),
        (403, b"<html>no</html>", AccessError, "answered 403: <html>no</html> "),
        (400, {"error": "no logs"}, InvalidEntryError, "answered 400: no logs$"),
        (413, b"", InvalidEntryError, "answered 413"),
        (404, b"No matching routes found", DeliveryError, "answered 404: No matching.*deployed"),
        (302, b"", DeliveryError, r"answered 302.*CONVEX_ENDPOINT_URL"),
        (429, {"code": "TooMany"}, DeliveryError, "answered 429.*TooMany"),
        (500, b"\xff\x00garbage", DeliveryError, "answered 500"),
        (503, {"error": "x" * 5_000}, DeliveryError, "answered 503"),
        (200, b"<html>login</html>", DeliveryError, "answered 200: <html>login.*deployed"),
        (200, [1], DeliveryError, "answered 200"),
        (200, b"", DeliveryError, "answered 200: nothing .*deployed"),
    ],
)
async def test_a_status_means_one_thing(
    serve: Callable[..., Any], status: int, content: object, error: type[DeliveryError], said: str
) -> None:
    """Refused, rejected, or passing trouble; one short sentence each, and a redirect leads nowhere."""
    stub, destination = await serve((status, content))
    with pytest.raises(DeliveryError, match=said) as caught:
        await destination.write(make_entry())
    assert type(caught.value) is error
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"message": "welcome"},
        {"inserted": 2},
        {"inserted": 1, "duplicates": 0, "rejected": []},
        {"inserted": 2, "duplicates": 1, "rejected": []},
        {"inserted": 3, "duplicates": -1, "rejected": []},
        {"inserted": "2", "duplicates": 0, "rejected": []},
        {"inserted": 2, "duplicates": 0, "rejected": {}},
        {"inserted": 1, "duplicates": 0, "rejected": [{"index": 2, "error": "odd"}]},
        {"inserted": 1, "duplicates": 0, "rejected": [{"index": -1, "error": "odd"}]},
        {"inserted": 1, "duplicates": 0, "rejected": [{"index": 0}]},
        {"inserted": 0, "duplicates": 1, "rejected": [{"index": 0, "error": "odd"}] * 2},
    ],
)
async def test_what_does_not_account_for_every_entry_is_no_receipt(serve: Callable[..., Any], answer: object) -> None:
    """Any server may answer 200 with some JSON: nothing counts as stored, and the batch is tried again."""
    _, destination = await serve((200, answer))
    with pytest.raises(DeliveryError, match=r"does not tell what became of the entries.*deployed") as caught:
        await destination.write_batch([make_entry("one"), make_entry("two")])
    assert type(caught.value) is DeliveryError


async def test_another_server_is_noticed_at_once(serve: Callable[..., Any]) -> None:
    """Opening asks as writing does."""
    _, destination = await serve((200, {"message": f"welcome, {SECRET}"}))
    with pytest.raises(DeliveryError, match=r'does not tell what .* answers {"message":"welcome, \[redacted\]"} '):
        await destination.open()


@pytest.mark.parametrize("logs", [None, {}, ["entry"], [{}], [{"timestamp": "yesterday"}]])
async def test_what_holds_no_entries_is_no_answer_to_a_query(serve: Callable[..., Any], logs: object) -> None:
    """Any server may answer 200 with some JSON, which is not to say that there are none."""
    _, destination = await serve((200, {"logs": logs}))
    with pytest.raises(DeliveryError, match=r"does not tell which entries there are.*deployed"):
        await destination.query()


@pytest.mark.parametrize("status", [400, 413])
async def test_opening_rejects_no_entry(serve: Callable[..., Any], status: int) -> None:
    """None was sent, so that none is at fault: they wait."""
    _, destination = await serve((status, {"error": "odd"}))
    with pytest.raises(DeliveryError, match=f"answered {status}: odd$") as caught:
        await destination.open()
    assert type(caught.value) is DeliveryError


async def test_a_key_that_is_echoed_is_not_shown(serve: Callable[..., Any]) -> None:
    """Some proxies tell what they were sent."""
    _, destination = await serve((500, f"you sent Authorization: Bearer {SECRET}".encode()))
    with pytest.raises(DeliveryError, match=r"Bearer \[redacted\]") as caught:
        await destination.write(make_entry())
    assert SECRET not in str(caught.value)


async def test_a_server_that_never_answers_ends_with_a_sentence(serve: Callable[..., Any]) -> None:
    """It says how long it waited; the next request has a connection of its own."""
    stub, destination = await serve((0, b""), (200, STORED), timeout=0.2)
    with pytest.raises(DeliveryError, match=r"has not answered within 0\.2 s$"):
        await destination.write(make_entry())
    await destination.write(make_entry())
    assert len(stub.connections) == 2


async def test_an_unreachable_server_is_passing_trouble() -> None:
    """The sentence says which server."""
    destination = ConvexDestination("http://127.0.0.1:1", api_key=SECRET)
    with pytest.raises(DeliveryError, match=r"^Convex at http://127\.0\.0\.1:1 cannot be reached: ") as caught:
        await destination.write(make_entry())
    assert type(caught.value) is DeliveryError
    await destination.close()


async def test_a_rejected_entry_costs_itself(serve: Callable[..., Any]) -> None:
    """The server says which one, and why."""
    answer = {"inserted": 2, "duplicates": 0, "rejected": [{"index": 1, "entryId": None, "error": "too odd"}]}
    _, destination = await serve((200, answer))
    entries = [make_entry(str(number)) for number in range(3)]
    with pytest.raises(PartialDeliveryError, match=r"^Convex rejected 1 of 3 entries: too odd$") as caught:
        await destination.write_batch(entries)
    assert (caught.value.retryable, caught.value.invalid) == ([], [entries[1]])


async def test_a_query_goes_on_where_the_answer_ended(serve: Callable[..., Any]) -> None:
    """The deployment reads a few thousand entries at a time and hands out a cursor."""
    logs = documents(make_entry("newest"), make_entry("oldest"))
    stub, destination = await serve(
        (200, {"logs": [], "cursor": "c1", "skipped": 3}),
        (200, {"logs": logs[:1], "cursor": "c2", "skipped": 2}),
        (200, {"logs": logs[1:], "cursor": None, "skipped": 0}),
    )
    since = datetime(2025, 1, 1, tzinfo=UTC)
    found = await destination.query(level="INFO", tool_name="a&b", since=since, text="50%", limit=7, offset=5)
    assert [entry.message for entry in found] == ["newest", "oldest"]
    asked = [dict(httpx.URL(line.split(" ")[1]).params) for line, _, _ in stub.requests]
    filters = {"level": "INFO", "toolName": "a&b", "since": "2025-01-01T00:00:00.000000+00:00", "text": "50%"}
    assert asked == [
        {**filters, "limit": "7", "offset": "5"},
        {**filters, "limit": "7", "offset": "2", "cursor": "c1"},
        {**filters, "limit": "6", "offset": "0", "cursor": "c2"},
    ]


async def test_several_levels_are_several_parameters(serve: Callable[..., Any]) -> None:
    """As in any query string."""
    stub, destination = await serve((200, {"logs": [], "cursor": None, "skipped": 0}))
    assert await destination.query(level=("INFO", "ERROR")) == []
    assert "level=INFO&level=ERROR" in stub.requests[0][0]
