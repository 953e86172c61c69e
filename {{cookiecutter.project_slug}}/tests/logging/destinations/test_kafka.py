"""What is particular to the Kafka destination: its settings, its records, and how it gives up."""

from __future__ import annotations

import asyncio
import os
import struct
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
import pytest
from testkit import require_backend

from {{cookiecutter.project_slug}}.logging.destinations.base import FIELD_NAMES, LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaDestination, KafkaSettings
from {{cookiecutter.project_slug}}.logging.destinations.kafka_record import by_partition, make_record
from {{cookiecutter.project_slug}}.logging.errors import (
    MissingDriverError,
    PartialDeliveryError,
    RefusedError,
    RejectedError,
    SettingError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from aiokafka.structs import ConsumerRecord

SERVERS = os.environ.get("TEST_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092").split(",")
MOMENT = datetime(2026, 3, 29, 0, 59, 59, 255000, tzinfo=UTC)
MAX_BYTES = 1_048_576


def make_destination(unique: str) -> KafkaDestination:
    """Return an unopened destination with a topic of its own, for the contract suite."""
    host, _, port = SERVERS[0].rpartition(":")
    require_backend(host, int(port), f"Kafka does not answer at {SERVERS[0]}: run `docker compose up -d`.")
    return KafkaDestination(SERVERS, topic=f"contract-{unique}")


def entry(message: str = "hello", **fields: object) -> LogEntry:
    """Return an entry of now, or of the time given."""
    known: dict[str, object] = {"correlation_id": uuid4().hex, "timestamp": datetime.now(UTC), **fields}
    return LogEntry(level="INFO", log_type="internal", message=message, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "servers", ["", "localhost", "kafka://localhost:9092", "localhost:0", "localhost:65536", "a b:1"]
)
def test_bootstrap_servers_are_hosts_with_ports(servers: str) -> None:
    """Anything else is named in one sentence."""
    with pytest.raises(SettingError, match="KAFKA_BOOTSTRAP_SERVERS"):
        KafkaDestination([servers] if servers else [])


def test_a_password_among_the_bootstrap_servers_is_not_repeated() -> None:
    """Somebody who writes a URL with credentials does not find them in the log."""
    with pytest.raises(SettingError) as caught:
        KafkaDestination(["kafka://me:hunter2@broker:9092"])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("topic", ["", ".", "..", "a/b", "with space", 'x"; drop', "t\n", "ö", "t" * 250])
def test_a_topic_follows_kafkas_own_rule(topic: str) -> None:
    """Kafka would refuse it later and less clearly."""
    with pytest.raises(SettingError, match="KAFKA_TOPIC"):
        KafkaDestination(SERVERS, topic=topic)


@pytest.mark.parametrize("topic", ["mcp-logs", "Audit.Logs_2", "...", "t" * 249])
def test_every_name_that_kafka_takes_is_a_topic(topic: str) -> None:
    """No narrower rule than Kafka's."""
    assert KafkaDestination(SERVERS, topic=topic).topic == topic


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"acks": "0"}, "KAFKA_ACKS is '0', which would hide every error"),
        ({"acks": "2"}, "KAFKA_ACKS is '2'"),
        ({"compression_type": "brotli"}, "KAFKA_COMPRESSION_TYPE is 'brotli'"),
        ({"security_protocol": "SASL_SSL"}, "KAFKA_SASL_USERNAME is empty"),
        ({"security_protocol": "SASL_SSL", "sasl_username": "me"}, "KAFKA_SASL_PASSWORD is empty"),
        ({"sasl_username": "me"}, "KAFKA_SECURITY_PROTOCOL is 'PLAINTEXT', which sends no user name"),
        ({"security_protocol": "SSL", "ssl_cafile": "none.pem"}, "KAFKA_SSL_CAFILE is 'none.pem'"),
        ({"security_protocol": "SSL", "ssl_certfile": "none.pem"}, "KAFKA_SSL_CERTFILE is 'none.pem"),
    ],
)
def test_a_setting_that_cannot_work_is_named(values: dict[str, str], said: str) -> None:
    """One sentence at start-up, before anything is sent."""
    with pytest.raises(SettingError) as caught:
        KafkaDestination(SERVERS, **values)  # type: ignore[arg-type]
    assert said in str(caught.value)


def test_a_ca_file_without_a_certificate_is_named(tmp_path: Path) -> None:
    """The file is read at start-up."""
    file = tmp_path / "ca.pem"
    file.write_text("not a certificate")
    with pytest.raises(SettingError, match="KAFKA_SSL_CAFILE"):
        KafkaDestination(SERVERS, security_protocol="SSL", ssl_cafile=str(file))


def test_a_codec_without_its_package_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only gzip comes with Python."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingDriverError, match="pip install cramjam"):
        KafkaDestination(SERVERS, compression_type="zstd")


def test_settings_are_read_in_any_case_and_from_numbers() -> None:
    """YAML gives a number for acks, and people write protocols in lower case."""
    settings = KafkaSettings.model_validate(
        {"kafka_acks": 1, "kafka_security_protocol": "ssl", "kafka_sasl_mechanism": "scram-sha-256"}
    )
    assert (settings.kafka_acks, settings.kafka_security_protocol) == ("1", "SSL")
    assert KafkaDestination.from_config(settings).topic == "mcp-logs"


def test_the_password_is_nowhere_to_be_read() -> None:
    """Neither in the settings nor in the destination's parts."""
    settings = KafkaSettings.model_validate(
        {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_username": "me", "kafka_sasl_password": "hunter2"}
    )
    destination = KafkaDestination.from_config(settings)
    assert "hunter2" not in repr((settings, destination, vars(destination), vars(destination._connection)))


def test_a_record_is_the_entry_as_json_with_all_fields() -> None:
    """Absent values are null, the time is ISO 8601 UTC, and the ids are where a consumer looks for them."""
    known = entry("done", timestamp=MOMENT, tool_name="echo", input_args={"text": "hé"}, correlation_id="call-1")
    time, key, text, headers = make_record(known, max_bytes=MAX_BYTES)
    value = orjson.loads(text)
    assert tuple(value) == FIELD_NAMES
    assert value == {**known.to_dict(), "timestamp": "2026-03-29T00:59:59.255000+00:00"}
    assert (time, key) == (1_774_745_999_255, b"call-1")
    assert headers == [("entry_id", known.entry_id.encode()), ("schema_version", b"1")]


@pytest.mark.parametrize(
    "moment",
    [MOMENT.replace(microsecond=0), MOMENT.astimezone(timezone(timedelta(hours=2))), datetime.min.replace(tzinfo=UTC)],
)
def test_the_time_has_one_form_whatever_it_was_made_of(moment: datetime) -> None:
    """Full seconds and other time zones are written as all others; no record has a negative time."""
    time, _, text, _ = make_record(entry(timestamp=moment), max_bytes=MAX_BYTES)
    assert orjson.loads(text)["timestamp"] == moment.astimezone(UTC).isoformat(timespec="microseconds")
    assert time >= 0


def test_values_that_are_not_json_arrive_as_text() -> None:
    """An entry of the user's own making is written too."""
    odd = {"id": uuid4(), "big": 2**70, "lone": "\ud800", "set": {1}, "raw": b"\xff", 3: "key"}
    odd_entry = entry("\udfff", extra_data=odd, correlation_id="\ud800" * 1_000)
    _, key, text, _ = make_record(odd_entry, max_bytes=MAX_BYTES)
    assert orjson.loads(text)["extra_data"]["big"] == str(2**70)
    assert len(key) <= 512


@pytest.mark.parametrize(
    "fields",
    [
        {"message": "m" * 3_000_000},
        {"message": "\x01" * 600_000, "output_summary": "ö" * 600_000, "input_args": {"text": "x" * 600_000}},
        {"input_args": {"numbers": [[1] * 1_000] * 1_000}},
        {"extra_data": {"numbers": [[1] * 1_000] * 1_000, "kept": True}},
        {"message": "short", "input_args": {str(number): "x" * 100 for number in range(20_000)}},
    ],
)
def test_an_oversized_entry_is_trimmed_to_fit_and_marked(fields: dict[str, object]) -> None:
    """Its ids and short fields stay, and its full size is told."""
    large = entry(**{"tool_name": "echo", **fields})  # type: ignore[arg-type]
    _, _, text, _ = make_record(large, max_bytes=MAX_BYTES)
    value = orjson.loads(text)
    assert len(text) <= MAX_BYTES - 2_048
    assert value["extra_data"]["trimmed"] > MAX_BYTES
    assert (value["entry_id"], value["tool_name"]) == (large.entry_id, "echo")
    assert value["message"][:5] == large.message[:5]


def test_an_entry_keeps_to_the_partition_of_its_correlation_id() -> None:
    """The partition is the one that every Kafka client computes; the order within an id stays."""
    from aiokafka.partitioner import DefaultPartitioner

    entries = [entry(str(number), correlation_id=f"call-{number % 7}") for number in range(70)]
    groups = dict(by_partition(entries, [0, 1, 2]))
    assert sum(map(len, groups.values())) == 70
    for partition, group in groups.items():
        for item in group:
            assert DefaultPartitioner()(item.correlation_id.encode(), [0, 1, 2], []) == partition
        assert [int(item.message) for item in group] == sorted(int(item.message) for item in group)


async def test_it_is_written_only() -> None:
    """Reading is what the topic's consumers do."""
    with pytest.raises(NotImplementedError, match="kafka is write-only"):
        await KafkaDestination(SERVERS).query()


async def test_closing_twice_or_unopened_is_harmless() -> None:
    """Nothing was connected."""
    destination = KafkaDestination(SERVERS)
    await destination.close()
    await destination.close()


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


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, for five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - some conditions are the event loop's own
            await asyncio.sleep(0.01)


async def test_a_broker_that_never_answers_fails_in_time_and_leaves_nothing_behind() -> None:
    """The attempt ends by itself, says why, and neither tasks nor connections outlive it."""
    before = asyncio.all_tasks()
    async with broker({}) as (address, connections):
        destination = KafkaDestination([address], timeout=0.2)
        for _ in range(3):
            with pytest.raises(ConnectionError, match=rf"Kafka at {address} did not answer within 0\.2 s"):
                await destination.write_batch([entry()])
        await destination.close()
        await until(lambda: not connections and asyncio.all_tasks() == before)


async def test_a_broker_that_falls_silent_after_its_greeting_leaves_nothing_behind() -> None:
    """As above, with a producer that was already made."""
    before = asyncio.all_tasks()
    async with broker({18: API_VERSIONS}) as (address, connections):
        destination = KafkaDestination([address], timeout=0.2)
        with pytest.raises(ConnectionError, match=f"Kafka at {address}"):
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
    with pytest.raises(ConnectionError, match=address):
        await destination.open()
    await destination.close()


@pytest.mark.parametrize(
    ("replies", "said"),
    [
        ({17: PLAIN_OFFERED, 36: WRONG_PASSWORD}, "refuses the user 'me' by PLAIN: check KAFKA_SASL_USERNAME"),
        ({17: NOT_OFFERED}, "does not offer KAFKA_SASL_MECHANISM 'PLAIN'"),
    ],
)
async def test_wrong_credentials_are_refused_in_one_sentence(
    replies: dict[int, bytes], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Asking again cannot help, and the password is not told: not even by the driver, which logs what it sends."""
    caplog.set_level("DEBUG")
    async with broker({18: API_VERSIONS, **replies}) as (address, _):
        destination = KafkaDestination(
            [address], security_protocol="SASL_PLAINTEXT", sasl_username="me", sasl_password="hunter2"
        )
        with pytest.raises(RefusedError) as caught:
            await destination.open()
        await destination.close()
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value) + caplog.text


@pytest.fixture
async def topic() -> str:
    """Return the name of a topic that is not there yet, of a broker that is."""
    host, _, port = SERVERS[0].rpartition(":")
    with suppress(OSError):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()
        await writer.wait_closed()
        return f"test-{uuid4().hex}"
    return pytest.fail(f"No Kafka answers at {SERVERS[0]}: start it with docker compose up -d", pytrace=False)


async def create(topic: str, *, partitions: int = 1, **configuration: str) -> None:
    """Create a topic."""
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(bootstrap_servers=SERVERS)
    await admin.start()
    configs = {name.replace("_", "."): value for name, value in configuration.items()}
    await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
    await admin.close()


async def records(topic: str, count: int) -> list[ConsumerRecord]:
    """Return the first records of a topic, and check that there are not more."""
    from aiokafka import AIOKafkaConsumer

    consumer = AIOKafkaConsumer(topic, bootstrap_servers=SERVERS, auto_offset_reset="earliest")
    await consumer.start()
    try:
        found: list[ConsumerRecord] = []
        async with asyncio.timeout(20):
            while len(found) < count:
                found += [item for part in (await consumer.getmany(timeout_ms=200)).values() for item in part]
        found += [item for part in (await consumer.getmany(timeout_ms=200)).values() for item in part]
    finally:
        await consumer.stop()
    assert len(found) == count
    return found


@asynccontextmanager
async def destination_for(topic: str, **values: object) -> AsyncIterator[KafkaDestination]:
    """Open a destination and close it in the end."""
    destination = KafkaDestination(SERVERS, topic=topic, **values)  # type: ignore[arg-type]
    try:
        yield destination
    finally:
        await destination.close()


@pytest.mark.integration
@pytest.mark.parametrize("values", [{}, {"acks": "1"}, {"compression_type": "gzip"}])
async def test_entries_arrive_as_readable_records(topic: str, values: dict[str, str]) -> None:
    """The topic comes into being with the first write; key, headers and time are those of the entry."""
    sent = [entry(f"message {number}", timestamp=MOMENT + timedelta(seconds=number)) for number in range(1_200)]
    async with destination_for(topic, **values) as destination:
        await destination.write_batch(sent)
        await destination.write(entry("last", timestamp=MOMENT))
    read = await records(topic, 1_201)
    assert [orjson.loads(record.value)["message"] for record in read] == [*(item.message for item in sent), "last"]
    assert orjson.loads(read[7].value) == sent[7].to_dict()
    assert read[7].key == sent[7].correlation_id.encode()
    assert dict(read[7].headers) == {"entry_id": sent[7].entry_id.encode(), "schema_version": b"1"}
    assert read[7].timestamp == sent[7].timestamp.timestamp() * 1_000


@pytest.mark.integration
async def test_one_correlation_id_keeps_its_order_on_one_of_several_partitions(topic: str) -> None:
    """So a consumer of several partitions still sees a call's lines as they were written."""
    await create(topic, partitions=4)
    sent = [entry(str(number), correlation_id=f"call-{number % 50}") for number in range(2_000)]
    async with destination_for(topic) as destination:
        for start in range(0, len(sent), 500):
            await destination.write_batch(sent[start : start + 500])
    read = await records(topic, 2_000)
    assert len({record.partition for record in read}) == 4
    for call in range(50):
        mine = [record for record in read if record.key == f"call-{call}".encode()]
        assert len({record.partition for record in mine}) == 1
        assert [int(orjson.loads(record.value)["message"]) for record in mine] == list(range(call, 2_000, 50))


@pytest.mark.integration
async def test_an_oversized_entry_arrives_trimmed_beside_its_neighbours(topic: str) -> None:
    """A broker with its default limit takes all three."""
    async with destination_for(topic) as destination:
        await destination.write_batch([entry("before"), entry("x" * 3_000_000), entry("after")])
    values = [orjson.loads(record.value) for record in await records(topic, 3)]
    assert [value["message"][:6] for value in values] == ["before", "xxxxxx", "after"]
    assert values[1]["extra_data"]["trimmed"] > 3_000_000


@pytest.mark.integration
async def test_an_entry_that_makes_no_record_costs_itself_only(topic: str) -> None:
    """499 of 500 arrive, and the one is named as refused."""
    sent = [entry(str(number)) for number in range(500)]
    sent[250].timestamp = "yesterday"  # type: ignore[assignment]
    async with destination_for(topic) as destination:
        with pytest.raises(PartialDeliveryError) as caught:
            await destination.write_batch(sent)
        assert (caught.value.again, caught.value.rejected) == ([], [sent[250]])
        with pytest.raises(RejectedError):
            await destination.write(sent[250])
    assert len(await records(topic, 499)) == 499


@pytest.mark.integration
async def test_a_topic_with_a_smaller_limit_refuses_what_is_too_large_and_takes_the_rest(topic: str) -> None:
    """The sentence names the setting that avoids it, and the next batch passes."""
    await create(topic, max_message_bytes="20000")
    large = entry("x" * 30_000)
    async with destination_for(topic) as destination:
        await destination.write(entry("first"))
        with pytest.raises(RejectedError, match="KAFKA_MAX_MESSAGE_BYTES"):
            await destination.write(large)
        await destination.write(entry("small"))
    async with destination_for(topic, max_message_bytes=20_000) as destination:
        await destination.write_batch([large, *(entry("x" * 5_000) for _ in range(20))])
    assert len(await records(topic, 23)) == 23


@pytest.mark.integration
async def test_many_first_writes_at_once_share_one_producer(topic: str) -> None:
    """Nothing is lost, and nothing stays open."""
    before = asyncio.all_tasks()
    async with destination_for(topic) as destination:
        await asyncio.gather(*(destination.write_batch([entry() for _ in range(50)]) for _ in range(20)))
    await until(lambda: asyncio.all_tasks() == before)
    assert len(await records(topic, 1_000)) == 1_000


@pytest.mark.integration
async def test_a_closed_destination_opens_again_by_itself(topic: str) -> None:
    """As after a failure, when the connection was given up."""
    async with destination_for(topic) as destination:
        await destination.write(entry("one"))
        await destination.close()
        await destination.write(entry("two"))
    assert len(await records(topic, 2)) == 2
