"""The connection fails in time with brokers that are silent, absent or reject us, and leaves nothing open."""

from __future__ import annotations

import asyncio
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaDestination
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError

from .kafka_helpers import entry, make_settings, wait_until, with_timeout

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HEADER_BYTES = 12
"""Length, API key, API version and correlation id of a request."""
API_VERSIONS, SASL_HANDSHAKE, SASL_AUTHENTICATE = 18, 17, 36
"""API keys of requests."""
VERSIONS = struct.pack(">hi" + "hhh" * 3, 0, 3, SASL_HANDSHAKE, 0, 1, API_VERSIONS, 0, 0, SASL_AUTHENTICATE, 0, 0)
PLAIN_OFFERED = struct.pack(">hih5s", 0, 1, 5, b"PLAIN")
PLAIN_NOT_OFFERED = struct.pack(">hih5s", 33, 1, 5, b"OTHER")
SCRAM_OFFERED = struct.pack(">hih13s", 0, 1, 13, b"SCRAM-SHA-512")
WRONG_PASSWORD = struct.pack(">hh7si", 58, 7, b"refused", 0)


class Broker(asyncio.Protocol):
    """A broker that answers the requests whose API key is in `replies`, and ignores all others."""

    def __init__(self, replies: dict[int, bytes], connections: set[asyncio.BaseTransport]) -> None:
        self.replies, self.connections, self.data = replies, connections, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Add an open connection."""
        self.transport = transport
        self.connections.add(transport)

    def connection_lost(self, _: Exception | None) -> None:
        """Remove a closed connection."""
        self.connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        """Answer all complete requests."""
        self.data += data
        while len(self.data) >= HEADER_BYTES:
            size, key, _, correlation_id = struct.unpack(">ihhi", self.data[:HEADER_BYTES])
            if len(self.data) < 4 + size:
                return
            self.data = self.data[4 + size :]
            if key in self.replies:
                reply = struct.pack(">i", correlation_id) + self.replies[key]
                assert isinstance(self.transport, asyncio.Transport)
                self.transport.write(struct.pack(">i", len(reply)) + reply)


@asynccontextmanager
async def broker(replies: dict[int, bytes]) -> AsyncIterator[tuple[str, set[asyncio.BaseTransport]]]:
    """Run a broker on a free port; yield its address and its open connections."""
    connections: set[asyncio.BaseTransport] = set()
    server = await asyncio.get_running_loop().create_server(lambda: Broker(replies, connections), "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", connections
    finally:
        server.close()
        for connection in connections:
            connection.close()


async def test_a_silent_broker_fails_each_attempt_in_time_and_nothing_stays_open() -> None:
    """The attempt ends itself and reports the reason; no task and no connection remains."""
    before = asyncio.all_tasks()
    async with broker({}) as (address, connections):
        destination = KafkaDestination(with_timeout(0.2, bootstrap_servers=[address]))
        for _ in range(3):
            with pytest.raises(DeliveryError, match=rf"Kafka at {address} did not answer within 0\.2 s"):
                await destination.write_batch([entry()])
        await destination.close()
        await wait_until(lambda: not connections and asyncio.all_tasks() == before)


async def test_a_broker_that_goes_silent_after_its_greeting_leaves_nothing_open() -> None:
    """A producer exists by then, and is stopped too."""
    before = asyncio.all_tasks()
    async with broker({API_VERSIONS: VERSIONS}) as (address, connections):
        destination = KafkaDestination(with_timeout(0.2, bootstrap_servers=[address]))
        with pytest.raises(DeliveryError, match=f"Kafka at {address}"):
            await destination.open()
        await destination.close()
        await wait_until(lambda: not connections and asyncio.all_tasks() == before)


async def test_a_cancelled_attempt_leaves_nothing_open() -> None:
    """The retry wrapper cancels an attempt at its own timeout."""
    before = asyncio.all_tasks()
    async with broker({}) as (address, connections):
        destination = KafkaDestination(with_timeout(5, bootstrap_servers=[address]))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(destination.write_batch([entry()]), 0.1)
        await destination.close()
        await wait_until(lambda: not connections and asyncio.all_tasks() == before)


async def test_an_absent_broker_is_a_temporary_failure() -> None:
    """The error names its address, and the next batch tries again."""
    async with broker({}) as (address, _):
        pass
    destination = KafkaDestination(make_settings(bootstrap_servers=[address]))
    with pytest.raises(DeliveryError, match=address) as caught:
        await destination.open()
    assert type(caught.value) is DeliveryError
    await destination.close()


@pytest.mark.parametrize(
    ("mechanism", "replies", "message"),
    [
        (
            "PLAIN",
            {SASL_HANDSHAKE: PLAIN_OFFERED, SASL_AUTHENTICATE: WRONG_PASSWORD},
            "rejects user 'me' (PLAIN): check KAFKA_SASL_USERNAME",
        ),
        ("PLAIN", {SASL_HANDSHAKE: PLAIN_NOT_OFFERED}, "does not support KAFKA_SASL_MECHANISM 'PLAIN'"),
        (
            "SCRAM-SHA-512",
            {SASL_HANDSHAKE: SCRAM_OFFERED, SASL_AUTHENTICATE: WRONG_PASSWORD},
            "rejects user 'me' (SCRAM-SHA-512): check KAFKA_SASL_USERNAME",
        ),
    ],
)
async def test_a_rejected_login_is_an_access_error_without_the_password(
    mechanism: str, replies: dict[int, bytes], message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not retried, and the driver, which logs its requests at DEBUG, does not show the password either."""
    caplog.set_level("DEBUG")
    async with broker({API_VERSIONS: VERSIONS, **replies}) as (address, _):
        settings = make_settings(
            bootstrap_servers=[address],
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism=mechanism,
            sasl_username="me",
            sasl_password="hunter2",
        )
        destination = KafkaDestination(settings)
        with pytest.raises(AccessError) as caught:
            await destination.open()
        await destination.close()
    assert message in str(caught.value)
    assert "hunter2" not in str(caught.value) + caplog.text
