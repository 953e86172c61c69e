"""How Kafka gives up on brokers that are silent, absent or refuse us, and what it leaves behind: nothing."""

from __future__ import annotations

import asyncio
import builtins
import struct
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import errors

from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaDestination, client
from {{cookiecutter.project_slug}}.logging.errors import AccessError, DeliveryError, InvalidEntryError

from .kafka_helpers import entry, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Broker(asyncio.Protocol):
    """A broker that answers as far as `replies` go, by the request's API key, and is silent otherwise."""

    def __init__(self, replies: dict[int, bytes], connections: set[asyncio.BaseTransport]) -> None:
        self.replies, self.connections, self.data = replies, connections, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count a connection."""
        self.transport = transport
        self.connections.add(transport)

    def connection_lost(self, _: Exception | None) -> None:
        """Count it no more."""
        self.connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        """Answer the requests that are complete."""
        self.data += data
        while len(self.data) >= 12 and len(self.data) >= 4 + (size := struct.unpack(">i", self.data[:4])[0]):
            key, _, correlation = struct.unpack(">hhi", self.data[4:12])
            self.data = self.data[4 + size :]
            if key in self.replies:
                reply = struct.pack(">i", correlation) + self.replies[key]
                assert isinstance(self.transport, asyncio.Transport)
                self.transport.write(struct.pack(">i", len(reply)) + reply)


API_VERSIONS = struct.pack(">hi" + "hhh" * 3, 0, 3, 17, 0, 1, 18, 0, 0, 36, 0, 0)
PLAIN_OFFERED = struct.pack(">hih5s", 0, 1, 5, b"PLAIN")
NOT_OFFERED = struct.pack(">hih5s", 33, 1, 5, b"OTHER")
SCRAM_OFFERED = struct.pack(">hih13s", 0, 1, 13, b"SCRAM-SHA-512")
WRONG_PASSWORD = struct.pack(">hh7si", 58, 7, b"refused", 0)


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


@pytest.mark.parametrize("name", [*client._REFUSALS, *client._REJECTIONS, *client._CLOSED])
def test_every_exception_that_is_known_by_name_exists(name: str) -> None:
    """A name that the driver does not have any more would make its trouble look passing."""
    kind = getattr(errors, name, None) or getattr(builtins, name)
    assert issubclass(kind, Exception)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SaslAuthenticationFailed", AccessError),
        ("UnsupportedSaslMechanismError", AccessError),
        ("IllegalSaslStateError", AccessError),
        ("TopicAuthorizationFailedError", AccessError),
        ("ClusterAuthorizationFailedError", AccessError),
        ("InvalidTopicError", AccessError),
        ("MessageSizeTooLargeError", InvalidEntryError),
        ("RecordListTooLargeError", InvalidEntryError),
        ("InvalidTimestampError", InvalidEntryError),
        ("UnsupportedForMessageFormatError", InvalidEntryError),
        ("BrokerNotAvailableError", DeliveryError),
        ("KafkaConnectionError", DeliveryError),
        ("KafkaTimeoutError", DeliveryError),
        ("LeaderNotAvailableError", DeliveryError),
        ("NodeNotReadyError", DeliveryError),
        ("NotEnoughReplicasAfterAppendError", DeliveryError),
        ("NotEnoughReplicasError", DeliveryError),
        ("NotLeaderForPartitionError", DeliveryError),
        ("OutOfOrderSequenceNumber", DeliveryError),
        ("RequestTimedOutError", DeliveryError),
        ("UnknownError", DeliveryError),
        ("UnknownTopicOrPartitionError", DeliveryError),
        ("ConnectionRefusedError", DeliveryError),
        ("ConnectionResetError", DeliveryError),
        ("OSError", DeliveryError),
        ("TimeoutError", DeliveryError),
    ],
)
def test_an_exception_means_one_thing(name: str, kind: type[DeliveryError]) -> None:
    """Refused, rejected, or passing trouble; one short sentence names the brokers."""
    error = (getattr(errors, name, None) or getattr(builtins, name))()
    meant = KafkaDestination(["a:1"], topic="logs")._connection.explain(error)
    assert type(meant) is kind
    assert str(meant).startswith("Kafka at a:1 ")
    assert "{" not in str(meant)
    assert "\n" not in str(meant)


async def test_a_broker_that_never_answers_fails_in_time_and_leaves_nothing_behind() -> None:
    """The attempt ends by itself, says why, and neither tasks nor connections outlive it."""
    before = asyncio.all_tasks()
    async with broker({}) as (address, connections):
        destination = KafkaDestination([address], timeout=0.2)
        for _ in range(3):
            with pytest.raises(DeliveryError, match=rf"Kafka at {address} did not answer within 0\.2 s"):
                await destination.write_batch([entry()])
        await destination.close()
        await until(lambda: not connections and asyncio.all_tasks() == before)


async def test_a_broker_that_falls_silent_after_its_greeting_leaves_nothing_behind() -> None:
    """As above, with a producer that was already made."""
    before = asyncio.all_tasks()
    async with broker({18: API_VERSIONS}) as (address, connections):
        destination = KafkaDestination([address], timeout=0.2)
        with pytest.raises(DeliveryError, match=f"Kafka at {address}"):
            await destination.open()
        await destination.close()
        await until(lambda: not connections and asyncio.all_tasks() == before)


async def test_an_attempt_that_is_cancelled_leaves_nothing_behind() -> None:
    """The wrapper around the destination has a timeout of its own."""
    before = asyncio.all_tasks()
    async with broker({}) as (address, connections):
        destination = KafkaDestination([address], timeout=5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(destination.write_batch([entry()]), 0.1)
        await destination.close()
        await until(lambda: not connections and asyncio.all_tasks() == before)


async def test_a_broker_that_is_not_there_is_passing_trouble() -> None:
    """It is named, and asked again with the next batch."""
    async with broker({}) as (address, _):
        pass
    destination = KafkaDestination([address])
    with pytest.raises(DeliveryError, match=address):
        await destination.open()
    await destination.close()


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ({17: PLAIN_OFFERED, 36: WRONG_PASSWORD}, "refuses the user 'me' by PLAIN: check KAFKA_SASL_USERNAME"),
        ({17: NOT_OFFERED}, "does not offer KAFKA_SASL_MECHANISM 'PLAIN'"),
        ({17: SCRAM_OFFERED, 36: WRONG_PASSWORD}, "refuses the user 'me' by SCRAM-SHA-512: check KAFKA_SASL_USERNAME"),
    ],
)
async def test_wrong_credentials_are_refused_in_one_sentence(
    replies: dict[int, bytes], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Asking again cannot help, and the password is not told: not even by the driver, which logs what it sends."""
    caplog.set_level("DEBUG")
    async with broker({18: API_VERSIONS, **replies}) as (address, _):
        destination = KafkaDestination(
            [address],
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="SCRAM-SHA-512" if replies[17] == SCRAM_OFFERED else "PLAIN",
            sasl_username="me",
            sasl_password="hunter2",
        )
        with pytest.raises(AccessError) as caught:
            await destination.open()
        await destination.close()
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value) + caplog.text
