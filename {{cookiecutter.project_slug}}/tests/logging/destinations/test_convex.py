"""What is particular to Convex; what all destinations have in common is in test_contract.py."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest
from testkit import make_entry, require_backend

from {{cookiecutter.project_slug}}.logging.destinations.base import FIELD_NAMES, LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.convex import ConvexDestination, ConvexSettings
from {{cookiecutter.project_slug}}.logging.destinations.convex_document import (
    MAX_DOCUMENT,
    NAMES,
    decode_document,
    encode_requests,
    original_key,
    safe_key,
)
from {{cookiecutter.project_slug}}.logging.errors import (
    DeliveryError,
    PartialDeliveryError,
    RefusedError,
    RejectedError,
    SettingError,
)
from {{cookiecutter.project_slug}}.logging.query import MAX_LIMIT, LogQuery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

URL = os.environ.get("TEST_CONVEX_URL", "http://127.0.0.1:3211")
KEY = os.environ.get("TEST_CONVEX_API_KEY", "local-test-key")
FUNCTIONS = Path(__file__).parents[3] / "convex"
SECRET = "s3cret-key"
STORED = {"inserted": 1, "duplicates": 0, "rejected": []}


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
                await self.answer(writer)
        writer.close()

    async def answer(self, writer: asyncio.StreamWriter) -> None:
        """Send the next answer; the last one repeats, and the status 0 is none."""
        status, content = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if status == 0:
            await self.released.wait()
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


@pytest.fixture
async def live() -> AsyncIterator[ConvexDestination]:
    """Return a destination on the deployment of the tests."""
    destination = ConvexDestination(URL, api_key=KEY)
    try:
        await destination.open()
    except DeliveryError as error:
        pytest.fail(f"{error}. Run docker compose up -d and deploy as docs/destinations/convex.md says.", pytrace=False)
    yield destination
    await destination.close()


class OwnEntries(ConvexDestination):
    """A destination that sees what it wrote itself: a deployment has one table for all."""

    def __init__(self) -> None:
        super().__init__(URL, api_key=KEY)
        self.ids: set[str] = set()

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Write, and remember what."""
        self.ids.update(entry.entry_id for entry in entries)
        await super().write_batch(entries)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Query, and leave out what others wrote."""
        wanted = LogQuery.of(**filters)
        found = await super().query(**filters | {"limit": MAX_LIMIT, "offset": 0})
        own = [entry for entry in found if entry.entry_id in self.ids]
        return own[wanted.offset : wanted.offset + wanted.limit]


def make_destination(_: str) -> ConvexDestination:
    """Return an unopened destination that begins empty, for the contract suite."""
    address = httpx.URL(URL)
    sentence = f"Convex does not answer at {URL}: `docker compose up -d`, then deploy (docs/destinations/convex.md)."
    require_backend(address.host, address.port or 443, sentence)
    return OwnEntries()


def documents(*entries: Any) -> list[dict[str, Any]]:
    """Return entries as they are sent."""
    return [log for _, logs in encode_requests(entries) for log in orjson.loads(logs)]


def some_id() -> str:
    """Return a correlation id that no other test has."""
    return secrets.token_hex(8)


def test_the_functions_know_every_field() -> None:
    """A field that the deployed schema lacks would cost its entry."""
    declared = re.findall(r"^  (\w+): ", (FUNCTIONS / "entry.ts").read_text(encoding="utf-8"), re.MULTILINE)
    assert declared == [NAMES[name] for name in FIELD_NAMES]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "happy-otter-123.convex.site",
        "ftp://x.convex.site",
        "https://",
        "https://x:99999",
        "https://x/?a=b",
        "https://x/#a",
        "http://x.convex.site",
        f"https://user:{SECRET}@x.convex.site",
    ],
)
def test_a_malformed_url_is_refused_in_one_sentence(url: str) -> None:
    """It names the setting and shows no secret."""
    with pytest.raises(SettingError, match=r"^CONVEX_ENDPOINT_URL is [^\n]*valid is the URL") as caught:
        ConvexDestination(url, api_key=SECRET)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        (" https://x.convex.site/ ", "https://x.convex.site"),
        ("https://x.convex.site/logs/ingest", "https://x.convex.site"),
        ("https://x.example/under/logs/ingest/", "https://x.example/under"),
        ("http://localhost:3211", "http://localhost:3211"),
        ("http://[::1]:3211", "http://[::1]:3211"),
    ],
)
def test_the_url_may_end_in_a_slash_or_in_the_route(url: str, base: str) -> None:
    """Both are what people paste; plain HTTP is for this machine."""
    assert ConvexDestination(url, api_key=SECRET)._client.url == base


@pytest.mark.parametrize("key", ["", "  ", "with space", "with\nbreak", "schlüssel"])
def test_a_malformed_key_is_refused_without_being_shown(key: str) -> None:
    """One sentence names the setting."""
    with pytest.raises(SettingError, match=r"^CONVEX_API_KEY is not [^\n]*$") as caught:
        ConvexDestination("https://x.convex.site", api_key=key)
    assert not key.strip() or key not in str(caught.value)


def test_no_secret_is_shown() -> None:
    """Neither by the settings nor by the destination."""
    settings = ConvexSettings(convex_endpoint_url="https://x.convex.site", convex_api_key=SECRET)
    destination = ConvexDestination.from_config(settings)
    assert SECRET not in f"{settings!r} {destination!r} {vars(destination)!r}"


def test_a_write_gives_up_before_the_attempt_is_cut_off() -> None:
    """So that it can say why; reading has the whole time."""
    settings = ConvexSettings(
        convex_endpoint_url="https://x.convex.site", convex_api_key=SECRET, log_write_timeout_ms=5_000
    )
    destination = ConvexDestination.from_config(settings)
    assert (destination.write_timeout, destination.timeout) == (4.0, 10.0)


@pytest.mark.parametrize("key", ["", "_id", "$set", "größe", "100%", "%41", "%", "a\nb", 'a"b\\', "\x7f", "名前", "ok"])
def test_keys_are_made_safe_and_read_back(key: str) -> None:
    """Convex takes printable ASCII that does not begin with $ or _."""
    assert re.fullmatch(r"(?![$_])[\x20-\x7e]+", safe_key(key))
    assert original_key(safe_key(key)) == key
    entry = make_entry(input_args={"deep": [{key: {key: 1}}]})
    (document,) = documents(entry)
    assert document["inputArgs"]["deep"][0] == {safe_key(key): {safe_key(key): 1}}
    assert decode_document(document) == entry


def test_a_harmless_key_stays_as_it_is() -> None:
    """Nothing is escaped without need."""
    assert [safe_key(key) for key in ("a_b", "a$", "x.y", "a b", "50%")] == ["a_b", "a$", "x.y", "a b", "50%"]


def test_long_keys_are_cut_and_stay_apart() -> None:
    """Two keys that begin alike remain two."""
    (document,) = documents(make_entry(extra_data={"k" * 2_000: 1, "k" * 2_000 + "l": 2, "ü" * 900: 3}))
    assert sorted(document["extraData"].values()) == [1, 2, 3]
    assert all(len(key) <= 1_024 for key in document["extraData"])


def test_what_is_none_is_absent() -> None:
    """Convex's optional fields refuse null; a value inside an object may be null."""
    (document,) = documents(make_entry(duration_ms=float("nan"), input_args={"a": None}))
    assert set(document) == {"correlationId", "timestamp", "level", "logType", "message", "inputArgs", "entryId"}
    assert document["inputArgs"] == {"a": None}


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (2**53, 2**53),
        (2**53 + 1, str(2**53 + 1)),
        (-(2**63), str(-(2**63))),
        (2**80, str(2**80)),
        (float("inf"), None),
        ("\ud800", "\\ud800"),
        ({1: 2}, {"1": 2}),
        (1.5, 1.5),
    ],
)
def test_values_that_are_no_doubles_become_readable(value: object, stored: object) -> None:
    """Nothing is rounded in silence."""
    (document,) = documents(make_entry(extra_data={"value": value}))
    assert document["extraData"]["value"] == stored


def test_deep_wide_and_long_values_fit_their_limits() -> None:
    """16 levels, of which a request takes two, 1,024 keys, 8,192 elements."""
    deep: object = "bottom"
    for _ in range(30):
        deep = [deep]
    wide = {f"k{number}": number for number in range(3_000)}
    (document,) = documents(make_entry(extra_data={"deep": deep, "wide": wide, "long": list(range(9_000))}))
    extra = document["extraData"]
    assert len(extra["wide"]) == 1_024
    assert extra["wide"]["..."] == "[truncated, 3000 items]"
    assert len(extra["long"]) == 8_192
    value, levels = extra["deep"], 2
    while isinstance(value, list):
        value, levels = value[0], levels + 1
    assert levels == 14
    assert json.loads(value) == json.loads("[" * 18 + '"bottom"' + "]" * 18)


@pytest.mark.parametrize(
    "values",
    [
        {"message": "x" * 3_000_000},
        {"message": "é" * 3_000_000},
        {"input_args": {"a": "x" * 3_000_000}, "extra_data": {"kept": 1}},
        {"input_args": {f"k{number}": list(range(1_000)) for number in range(1_000)}},
        {"input_args": {"a": "x" * 900_000, "b": "y" * 900_000}, "output_summary": "z" * 900_000},
    ],
)
def test_an_oversized_entry_is_trimmed_and_marked(values: dict[str, Any]) -> None:
    """Convex refuses documents over 1 MiB, in which a number has nine bytes."""
    entry = make_entry(**values)
    ((_, logs),) = encode_requests([entry])
    (document,) = orjson.loads(logs)
    assert len(logs) + 8 * logs.count(b",") <= MAX_DOCUMENT
    assert document["entryId"] == entry.entry_id
    assert document["extraData"]["trimmed"] > 1_000_000
    assert b"[truncated, " in logs


def test_batches_are_split_by_size() -> None:
    """Each entry is in one request, in order, and no request is larger than a document may be."""
    entries = [make_entry("x" * 10_000) for _ in range(500)]
    requests = list(encode_requests(entries))
    assert [entry for part, _ in requests for entry in part] == entries
    assert all(len(logs) <= MAX_DOCUMENT for _, logs in requests)


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
        (401, {"error": "wrong key"}, RefusedError, r"answered 401: wrong key .*LOG_INGEST_KEY"),
        (403, b"<html>no</html>", RefusedError, "answered 403: <html>no</html> "),
        (400, {"error": "no logs"}, RejectedError, "answered 400: no logs$"),
        (413, b"", RejectedError, "answered 413"),
        (404, b"No matching routes found", DeliveryError, "answered 404: No matching.*deployed"),
        (302, b"", DeliveryError, r"answered 302.*CONVEX_ENDPOINT_URL"),
        (429, {"code": "TooMany"}, DeliveryError, "answered 429.*TooMany"),
        (500, b"\xff\x00garbage", DeliveryError, "answered 500"),
        (503, {"error": "x" * 5_000}, DeliveryError, "answered 503"),
        (200, b"<html>login</html>", DeliveryError, "answered 200: <html>login.*deployed"),
        (200, [1], DeliveryError, "answered 200"),
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
    assert (caught.value.again, caught.value.rejected) == ([], [entries[1]])


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


async def test_closing_what_was_never_opened_is_fine() -> None:
    """Once and twice."""
    destination = ConvexDestination("https://x.convex.site", api_key=SECRET)
    await destination.close()
    await destination.close()


@pytest.mark.integration
async def test_a_wrong_key_is_refused(live: ConvexDestination) -> None:
    """Asking again cannot help; the sentence says what the key must be."""
    stranger = ConvexDestination(URL, api_key="wrong")
    with pytest.raises(RefusedError, match=r"answered 401.*LOG_INGEST_KEY"):
        await stranger.open()
    with pytest.raises(RefusedError):
        await stranger.query()
    await stranger.close()


@pytest.mark.integration
async def test_an_entry_comes_back_as_it_was(live: ConvexDestination) -> None:
    """All fields, odd keys and the microsecond included."""
    odd = {"": 0, "_id": 1, "$set": [{"größe": None}], "%41": "50%", "名": {"a": [1.5, -1, True]}}
    values = {name: f"{name} ü" for name in FIELD_NAMES if name not in ("message", "timestamp")}
    entry = make_entry(**{
        **values, "correlation_id": some_id(), "entry_id": some_id(), "duration_ms": 0.25, "line": 7, "process_id": 8,
        "input_args": odd, "extra_data": odd, "timestamp": datetime(2025, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    })  # fmt: skip
    await live.write(entry)
    assert await live.query(correlation_id=entry.correlation_id) == [entry]


@pytest.mark.integration
async def test_what_is_sent_again_is_there_once(live: ConvexDestination) -> None:
    """By entry id, across requests and inside one."""
    entry = make_entry(correlation_id=some_id())
    await live.write_batch([entry, entry])
    await live.write_batch([entry, make_entry(correlation_id=entry.correlation_id)])
    assert len(await live.query(correlation_id=entry.correlation_id)) == 2


@pytest.mark.integration
async def test_a_poison_entry_costs_itself(live: ConvexDestination) -> None:
    """499 of 500 arrive."""
    name = some_id()
    batch = [make_entry(str(number), correlation_id=name) for number in range(500)]
    batch[250].message = 5  # type: ignore[assignment]
    with pytest.raises(PartialDeliveryError, match="rejected 1 of 500 entries: the field message must be") as caught:
        await live.write_batch(batch)
    assert caught.value.rejected == [batch[250]]
    assert len(await live.query(correlation_id=name, limit=1_000)) == 499


@pytest.mark.integration
async def test_oversized_and_deep_entries_are_stored(live: ConvexDestination) -> None:
    """What is made to fit fits the deployment."""
    deep: object = 1
    for _ in range(40):
        deep = {"_": deep}
    name = some_id()
    wide = {f"k{number}": list(range(2_000)) for number in range(1_500)}
    for values in ({"message": "ü" * 2_000_000}, {"input_args": {"deep": deep}}, {"extra_data": wide}):
        await live.write(make_entry(**{"correlation_id": name, **values}))
    assert len(await live.query(correlation_id=name)) == 3


@pytest.mark.integration
async def test_pages_are_put_together(live: ConvexDestination) -> None:
    """More than the deployment reads in one transaction, newest first, without gap or double."""
    name, start = some_id(), datetime(2025, 6, 1, tzinfo=UTC)
    batch = [
        make_entry(str(number), correlation_id=name, timestamp=start + timedelta(milliseconds=number))
        for number in range(2_500)
    ]
    await live.write_batch(batch)
    newest_first = [str(number) for number in reversed(range(2_500))]
    found = await live.query(correlation_id=name, limit=10_000)
    assert [entry.message for entry in found] == newest_first
    found = await live.query(correlation_id=name, limit=50, offset=1_990)
    assert [entry.message for entry in found] == newest_first[1_990:2_040]


@pytest.mark.integration
async def test_the_routes_say_what_is_wrong(live: ConvexDestination) -> None:
    """JSON errors for people with curl; one entry may be posted as {log: entry}."""
    (log,) = documents(make_entry(correlation_id=some_id()))
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=URL, trust_env=False, headers=headers) as client:
        assert (await client.post("/logs/ingest", json={"log": log})).json()["inserted"] == 1
        assert (await client.post("/logs/ingest", json={"logs": [log]})).json()["duplicates"] == 1
        for body in (b"no JSON", b"[]", b"{}", b'{"logs": 5}', b'{"log": {}}'):
            answer = await client.post("/logs/ingest", content=body)
            assert (answer.status_code, list(answer.json())) == (400, ["error"])
        for wrong in ("limit=0", "limit=x", "offset=-1", "since=yesterday", "color=red"):
            answer = await client.get(f"/logs/query?{wrong}")
            assert (answer.status_code, list(answer.json())) == (400, ["error"])
        answer = await client.get("/logs/query", headers={"Authorization": "Basic x"})
        assert (answer.status_code, list(answer.json())) == (401, ["error"])
