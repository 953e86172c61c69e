"""How Elasticsearch is spoken to: credentials, hosts, TLS, and the sentence that each failure becomes."""

from __future__ import annotations

import asyncio
import base64
from functools import partial
from typing import Any

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations.elasticsearch import (
    ElasticsearchDestination,
    ElasticsearchSettings,
)
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, InvalidEntryError

from . import elasticsearch_helpers
from .elasticsearch_helpers import Certificates, Stub, entries, failure, serving

stub, destination = elasticsearch_helpers.stub, elasticsearch_helpers.destination
certificates = elasticsearch_helpers.certificates


@pytest.mark.parametrize(
    ("values", "header"),
    [
        ({}, None),
        ({"elasticsearch_api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
        ({"elasticsearch_api_key": "id:key"}, "ApiKey aWQ6a2V5"),
        (
            {"elasticsearch_username": "elastic", "elasticsearch_password": "p\u00e4ss:word"},
            "Basic " + base64.b64encode("elastic:p\u00e4ss:word".encode()).decode(),
        ),
        ({"elasticsearch_api_key": "", "elasticsearch_username": "", "elasticsearch_ca_certs": ""}, None),
    ],
)
async def test_credentials_are_sent_with_every_request(stub: Stub, values: dict[str, str], header: str | None) -> None:
    """An API key in both of its forms, and basic authentication; what is empty is unset."""
    built = ElasticsearchDestination.from_config(ElasticsearchSettings(elasticsearch_hosts=[stub.url], **values))
    await built.write(make_entry())
    await built.query()
    await built.close()
    assert {asked.headers.get("Authorization") for asked in stub.asked} == {header}


async def test_a_password_in_an_address_is_sent_and_decoded(stub: Stub, destination: Any) -> None:
    """Percent signs stand for what an address cannot hold."""
    await destination(stub.url.replace("//", "//elastic:p%40ss@")).write(make_entry())
    assert stub.of("/_bulk")[0].headers["Authorization"] == "Basic " + base64.b64encode(b"elastic:p@ss").decode()


async def test_hosts_are_used_in_turn_and_a_dead_one_is_left_out(destination: Any) -> None:
    """The entry that met the dead host is the caller's to write again."""
    async with serving(Stub()) as first:
        async with serving(Stub()) as second:
            both = destination(first.url, second.url)
            for entry in entries(4):
                await both.write(entry)
            assert (len(first.of("/_bulk")), len(second.of("/_bulk"))) == (2, 2)
        written = 0
        for entry in entries(3):
            try:
                await both.write(entry)
            except DeliveryError:
                continue
            written += 1
        assert written >= 2


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
async def test_a_refused_request_is_said_in_one_sentence_and_sent_once(
    stub: Stub, destination: Any, status: int, error: type[Exception]
) -> None:
    """The client's own retries are off: the wrapper retries what is worth it."""
    stub.answers["POST /_bulk"] = status, failure("some_exception")
    with pytest.raises(DeliveryError) as raised:
        await destination(stub.url).write(make_entry())
    assert type(raised.value) is error
    assert str(status) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(stub.of("/_bulk")) == 1


@pytest.mark.parametrize(("product", "answer"), [("OpenSearch", {}), ("", {}), ("", b"<html>back soon</html>")])
async def test_something_else_at_the_address_is_said(
    stub: Stub, destination: Any, product: str, answer: object
) -> None:
    """A server that calls itself otherwise, or nothing, is no Elasticsearch; it may be in front of one for a while."""
    stub.product = product
    stub.answers["GET /_index_template/mcp-logs"] = 200, answer
    with pytest.raises(DeliveryError, match=r"^What answers at ELASTICSEARCH_HOSTS is not Elasticsearch$") as raised:
        await destination(stub.url).write(make_entry())
    assert type(raised.value) is DeliveryError


@pytest.mark.parametrize("answer", [{}, [], "garbage", b"<html>back soon</html>"])
@pytest.mark.parametrize("asked", ["GET /_index_template/mcp-logs", "POST /mcp-logs-*.*.*/_search"])
async def test_a_success_that_says_nothing_is_none(stub: Stub, destination: Any, asked: str, answer: object) -> None:
    """Whatever it calls itself."""
    stub.answers[asked] = 200, answer
    built = destination(stub.url)
    with pytest.raises(DeliveryError, match=r"is not Elasticsearch: it does not tell which .* there are$") as raised:
        await (built.query() if "_search" in asked else built.open())
    assert type(raised.value) is DeliveryError


async def test_what_is_no_json_is_said_without_its_content(destination: Any) -> None:
    """It may hold what we sent."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        body = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n<hunter2>"
        writer.write(body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(DeliveryError, match=r"is not Elasticsearch: it does not answer in JSON$") as raised:
            await destination(url).open()
    assert type(raised.value) is DeliveryError


@pytest.mark.parametrize("asked", ["GET /_index_template/mcp-logs", "PUT /_index_template/mcp-logs"])
@pytest.mark.parametrize("status", [400, 413])
async def test_opening_rejects_no_entry(stub: Stub, destination: Any, asked: str, status: int) -> None:
    """None was sent, so that none is at fault: they wait, and are not tried apart."""
    stub.answers[asked] = status, failure("some_exception")
    built = destination(stub.url)
    for attempt in (built.open, partial(built.write_batch, entries(2))):
        with pytest.raises(DeliveryError, match=f"answers {status}: because") as raised:
            await attempt()
        assert type(raised.value) is DeliveryError
    assert not stub.of("/_bulk")


async def test_a_cluster_older_than_the_client_is_said_with_what_to_install(stub: Stub, destination: Any) -> None:
    """Its answer to the media type of a newer major."""
    stub.answers["GET /_index_template/mcp-logs"] = 400, failure("media_type_header_exception")
    with pytest.raises(AccessError, match=r'cannot talk to this older cluster: run pip install "elasticsearch\['):
        await destination(stub.url).open()


async def test_nobody_at_the_address_is_said_without_its_password(destination: Any) -> None:
    """And is passing trouble."""
    async with serving(Stub()) as gone:
        pass
    with pytest.raises(DeliveryError, match=r"^Elasticsearch cannot be reached: .*127\.0\.0\.1") as raised:
        await destination(gone.url.replace("//", "//elastic:hunter2@")).write(make_entry())
    assert type(raised.value) is DeliveryError
    assert "hunter2" not in f"{raised.value!r} {raised.value.__cause__!r}"


async def test_closing_twice_and_writing_again_both_work(stub: Stub, destination: Any) -> None:
    """A closed destination connects again when it has to."""
    built = destination(stub.url)
    await built.close()
    await built.write(make_entry())
    await built.close()
    await built.close()
    await built.write(make_entry())
    assert len(stub.of("/_bulk")) == 2


async def test_tls_is_verified_against_the_configured_authority(certificates: Certificates, destination: Any) -> None:
    """The right one delivers, the wrong one and the default ones give one sentence that names the setting."""
    async with serving(Stub(), certificates.context) as stub:
        await destination(stub.url, ca_certs=certificates.right).write(make_entry())
        for authority in (certificates.wrong, None):
            with pytest.raises(DeliveryError, match=r"certificate is not trusted \(.*\), check ELASTICSEARCH_CA_CERTS"):
                await destination(stub.url, ca_certs=authority).write(make_entry())
        local = stub.url.replace("127.0.0.1", "localhost")
        with pytest.raises(DeliveryError, match="Hostname mismatch"):
            await destination(local, ca_certs=certificates.right).write(make_entry())
        assert len(stub.of("/_bulk")) == 1


async def test_verification_can_be_switched_off(certificates: Certificates, destination: Any) -> None:
    """Without a warning in each request."""
    async with serving(Stub(), certificates.context) as stub:
        await destination(stub.url, verify_certs=False).write(make_entry())
        assert len(stub.of("/_bulk")) == 1
