"""The requests to Convex, and the answers that count as a success."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.convex.client import ConvexClient
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError
from {{cookiecutter.project_slug}}.logging.writer_thread import WriterThread

from .convex_helpers import SECRET, make_settings

if TYPE_CHECKING:
    from collections.abc import Callable


async def test_a_batch_is_posted_with_the_key(serve: Callable[..., Any]) -> None:
    """One request with camelCase names and ISO 8601 times."""
    stub, destination = await serve()
    moment = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    await destination.write_batch([make_entry("one", timestamp=moment, tool_name="echo"), make_entry("two")])
    ((line, headers, _),) = stub.requests
    assert line == "POST /logs/ingest HTTP/1.1"
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert headers["content-type"] == "application/json"
    assert [document["message"] for document in stub.documents] == ["one", "two"]
    assert stub.documents[0]["timestamp"] == "2025-01-02T03:04:05.000000+00:00"
    assert stub.documents[0]["toolName"] == "echo"


async def test_the_connection_is_kept(serve: Callable[..., Any]) -> None:
    """Opening and ten writes need one connection."""
    stub, destination = await serve()
    await destination.open()
    for _ in range(10):
        await destination.write(make_entry())
    assert (len(stub.requests), len(stub.connections)) == (11, 1)


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"message": "welcome"},
        {"status": "error", "errorMessage": "paused"},
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
        {"inserted": 0, "duplicates": 0, "rejected": [{"index": 0, "error": "odd"}] * 2},
        [1],
        b"<html>login</html>",
        b"",
    ],
)
async def test_only_a_receipt_for_each_entry_counts_as_stored(serve: Callable[..., Any], answer: object) -> None:
    """Any other server may also answer 200: no entry counts as stored, and the batch is retried."""
    _, destination = await serve((200, answer))
    with pytest.raises(DeliveryError, match=r"did not answer with a receipt for each entry, .*deployed") as caught:
        await destination.write_batch([make_entry("one"), make_entry("two")])
    assert type(caught.value) is DeliveryError


async def test_an_answer_may_have_more_keys(serve: Callable[..., Any]) -> None:
    """Functions that are newer than the server may answer with more."""
    _, destination = await serve((200, {"inserted": 1, "duplicates": 0, "rejected": [], "later": {"a": 1}}))
    await destination.write(make_entry())


async def test_opening_detects_another_server(serve: Callable[..., Any]) -> None:
    """Opening sends an empty request, which also needs a receipt."""
    _, destination = await serve((200, {"message": f"welcome, {SECRET}"}))
    with pytest.raises(DeliveryError, match=r"""a receipt .* but with '{"message":"welcome, \[redacted\]"}' """):
        await destination.open()


@pytest.mark.parametrize("logs", [None, {}, ["entry"], [{}], [{"timestamp": "yesterday"}]])
async def test_an_answer_without_entries_is_an_error(serve: Callable[..., Any], logs: object) -> None:
    """Any other server may also answer 200; this does not mean that no entry matches."""
    _, destination = await serve((200, {"logs": logs}))
    with pytest.raises(DeliveryError, match=r"did not answer with a list of entries, .*deployed"):
        await destination.query()


def test_a_write_ends_before_its_attempt_times_out() -> None:
    """The error can then name the reason; a query has the whole timeout."""
    client = ConvexClient(make_settings("https://x.convex.site", SECRET, log_write_timeout_ms=5_000))
    assert (client.write_timeout, client.timeout) == (4.0, 10.0)


@pytest.mark.parametrize(("by_writer", "lines"), [(True, 0), (False, 1)])
async def test_httpx_logs_the_requests_of_tools_only(
    serve: Callable[..., Any], caplog: pytest.LogCaptureFixture, *, by_writer: bool, lines: int
) -> None:
    """A line for each delivered batch would flood stderr."""
    stub, _ = await serve()
    caplog.set_level(logging.INFO, "httpx")

    async def post() -> None:
        client = ConvexClient(make_settings(stub.url, SECRET))
        await client.ingest(b"[]", count=0)
        await client.close()

    if by_writer:
        thread = WriterThread()
        await asyncio.wrap_future(thread.submit(post()))
        thread.stop()
        thread.join(5)
    else:
        await post()
    assert len(caplog.messages) == lines
