"""Exceptions of the Elasticsearch driver become one sentence each."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, InvalidEntryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import Stub, entries, failure, serving

stub, destination_for = elasticsearch_helpers.stub, elasticsearch_helpers.destination_for


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InvalidEntryError),
        (401, AccessError),
        (403, AccessError),
        (404, DeliveryError),
        (413, InvalidEntryError),
        (429, DeliveryError),
        (500, DeliveryError),
        (502, DeliveryError),
        (503, DeliveryError),
    ],
)
async def test_a_failed_request_is_reported_in_one_sentence_and_not_repeated(
    stub: Stub, destination_for: Any, status: int, error: type[Exception]
) -> None:
    """The driver's own retries are off, because the retry wrapper decides."""
    stub.replies["POST /_bulk"] = status, failure("some_exception")
    with pytest.raises(DeliveryError) as raised:
        await destination_for(stub.url).write(make_entry())
    assert type(raised.value) is error
    assert str(status) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(stub.received("/_bulk")) == 1


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (403, "cluster_block_exception", DeliveryError),
        (503, "cluster_block_exception", DeliveryError),
        (400, "validation_exception", DeliveryError),
        (403, "security_exception", AccessError),
        (401, "security_exception", AccessError),
    ],
)
async def test_the_type_of_an_error_counts_more_than_its_status(
    stub: Stub, destination_for: Any, status: int, kind: str, error: type[Exception]
) -> None:
    """A block passes; a missing permission does not, until an administrator grants it."""
    stub.replies["POST /_bulk"] = status, failure(kind)
    with pytest.raises(DeliveryError) as raised:
        await destination_for(stub.url).write(make_entry())
    assert type(raised.value) is error


@pytest.mark.parametrize(("product", "reply"), [("OpenSearch", {}), ("", {}), ("", b"<html>back soon</html>")])
async def test_a_server_that_is_not_elasticsearch_is_reported(
    stub: Stub, destination_for: Any, product: str, reply: object
) -> None:
    """The batch is retried: a maintenance page may be there for a while."""
    stub.product = product
    stub.replies["GET /_index_template/mcp-logs"] = 200, reply
    with pytest.raises(DeliveryError, match=r"^The server at ELASTICSEARCH_HOSTS is not Elasticsearch$") as raised:
        await destination_for(stub.url).write(make_entry())
    assert type(raised.value) is DeliveryError


@pytest.mark.parametrize("reply", [{}, [], "garbage", b"<html>back soon</html>"])
@pytest.mark.parametrize("request_line", ["GET /_index_template/mcp-logs", "POST /mcp-logs-*.*.*/_search"])
async def test_a_reply_with_an_unexpected_format_is_reported(
    stub: Stub, destination_for: Any, request_line: str, reply: object
) -> None:
    """Even if it has status 200 and the product name of Elasticsearch."""
    stub.replies[request_line] = 200, reply
    destination = destination_for(stub.url)
    call = destination.query if "_search" in request_line else destination.open
    with pytest.raises(DeliveryError, match=r"is not Elasticsearch: its reply has an unexpected format$") as raised:
        await call()
    assert type(raised.value) is DeliveryError


async def test_a_reply_that_is_not_json_is_reported_without_its_content(destination_for: Any) -> None:
    """The content may repeat what we sent."""

    async def reply(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n<hunter2>")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(DeliveryError, match=r"is not Elasticsearch: its reply is not JSON$") as raised:
            await destination_for(url).open()
    assert type(raised.value) is DeliveryError


@pytest.mark.parametrize("request_line", ["GET /_index_template/mcp-logs", "PUT /_index_template/mcp-logs"])
@pytest.mark.parametrize("status", [400, 413])
async def test_no_entry_is_invalid_if_opening_fails(
    stub: Stub, destination_for: Any, request_line: str, status: int
) -> None:
    """No entry was sent, so the batch is kept whole."""
    stub.replies[request_line] = status, failure("some_exception")
    destination = destination_for(stub.url)
    for call in (destination.open, partial(destination.write_batch, entries(2))):
        with pytest.raises(DeliveryError, match=f"replied {status}: because") as raised:
            await call()
        assert type(raised.value) is DeliveryError
    assert not stub.received("/_bulk")


async def test_a_cluster_older_than_the_driver_is_reported_with_the_install_command(
    stub: Stub, destination_for: Any
) -> None:
    """Such a cluster rejects the media type of the driver's major version."""
    stub.replies["GET /_index_template/mcp-logs"] = 400, failure("media_type_header_exception")
    with pytest.raises(AccessError, match=r'too new for the cluster: run pip install "elasticsearch\[async\]>='):
        await destination_for(stub.url).open()


async def test_an_unreachable_host_is_reported_without_its_password(destination_for: Any) -> None:
    """The batch is retried."""
    async with serving(Stub()) as stopped:
        pass
    with pytest.raises(DeliveryError, match=r"^Elasticsearch cannot be reached: .*127\.0\.0\.1") as raised:
        await destination_for(stopped.url.replace("//", "//elastic:hunter2@")).write(make_entry())
    assert type(raised.value) is DeliveryError
    assert "hunter2" not in f"{raised.value!r} {raised.value.__cause__!r}"
