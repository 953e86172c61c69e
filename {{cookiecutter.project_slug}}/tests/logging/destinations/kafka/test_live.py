"""A real Kafka broker: what its consumers read, and how failures affect a batch."""

from __future__ import annotations

import asyncio
import socket
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
import pytest

from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaDestination
from {{cookiecutter.project_slug}}.logging.errors import InvalidEntryError, PartialDeliveryError

from .kafka_helpers import MOMENT, SERVERS, entry, make_settings, require_kafka, wait_until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiokafka.structs import ConsumerRecord

PROGRAM = Path(__file__).with_name("fixtures") / "write_ten_entries.py"


@pytest.fixture
def topic() -> str:
    """Return the name of a topic that does not exist yet; fail if there is no broker."""
    require_kafka()
    return f"test-{uuid4().hex}"


async def create(topic: str, *, partitions: int = 1, **configuration: str) -> None:
    """Create a topic."""
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    admin = AIOKafkaAdminClient(bootstrap_servers=SERVERS)
    await admin.start()
    configs = {name.replace("_", "."): value for name, value in configuration.items()}
    await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])
    await admin.close()


async def records(topic: str, count: int) -> list[ConsumerRecord]:
    """Return all records of a topic; fail if there are not exactly `count`."""
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
    """Return a destination, and close it at the end."""
    destination = KafkaDestination(make_settings(topic=topic, **values))
    try:
        yield destination
    finally:
        await destination.close()


@pytest.mark.integration
@pytest.mark.parametrize(
    "values",
    [{}, {"acks": "1"}, *({"compression_type": codec} for codec in ("gzip", "snappy", "lz4", "zstd"))],
    ids=lambda values: "-".join(values.values()) or "defaults",
)
async def test_entries_arrive_as_readable_records(topic: str, values: dict[str, str]) -> None:
    """The first write creates the topic; key, headers and time are those of the entry."""
    sent = [entry(f"message {number}", timestamp=MOMENT + timedelta(seconds=number)) for number in range(1_200)]
    async with destination_for(topic, **values) as destination:
        await destination.write_batch(sent)
        await destination.write(entry("last", timestamp=MOMENT))
    read = await records(topic, 1_201)
    assert [orjson.loads(record.value)["message"] for record in read] == [*(item.message for item in sent), "last"]
    assert orjson.loads(read[7].value) == sent[7].to_dict()
    assert read[7].key == sent[7].correlation_id.encode()
    assert dict(read[7].headers) == {"entry_id": sent[7].entry_id.encode(), "schema_version": b"2"}
    assert read[7].timestamp == sent[7].timestamp.timestamp() * 1_000


@pytest.mark.integration
async def test_one_correlation_id_keeps_its_order_on_one_of_several_partitions(topic: str) -> None:
    """A consumer of several partitions reads the lines of a call in the order they were written."""
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
async def test_an_oversized_entry_arrives_trimmed_and_its_neighbours_unchanged(topic: str) -> None:
    """A broker with the default limit accepts all three."""
    async with destination_for(topic) as destination:
        await destination.write_batch([entry("before"), entry("x" * 3_000_000), entry("after")])
    values = [orjson.loads(record.value) for record in await records(topic, 3)]
    assert [value["message"][:6] for value in values] == ["before", "xxxxxx", "after"]
    assert values[1]["extra_data"]["trimmed"] > 3_000_000


@pytest.mark.integration
async def test_an_entry_that_cannot_be_encoded_does_not_affect_the_others(topic: str) -> None:
    """499 of 500 arrive, and the error lists the other one as invalid."""
    sent = [entry(str(number)) for number in range(500)]
    sent[250].timestamp = "yesterday"  # type: ignore[assignment]
    async with destination_for(topic) as destination:
        with pytest.raises(PartialDeliveryError) as caught:
            await destination.write_batch(sent)
        assert (caught.value.retryable, caught.value.invalid) == ([], [sent[250]])
        with pytest.raises(InvalidEntryError):
            await destination.write(sent[250])
    assert len(await records(topic, 499)) == 499


@pytest.mark.integration
async def test_a_topic_with_a_smaller_limit_rejects_only_the_large_entry(topic: str) -> None:
    """The error names the setting to change; with that setting, the entry is trimmed and arrives."""
    await create(topic, max_message_bytes="20000")
    large = entry("x" * 30_000)
    async with destination_for(topic) as destination:
        await destination.write(entry("first"))
        with pytest.raises(InvalidEntryError, match="KAFKA_MAX_MESSAGE_BYTES"):
            await destination.write(large)
        await destination.write(entry("small"))
    async with destination_for(topic, max_message_bytes=20_000) as destination:
        await destination.write_batch([large, *(entry("x" * 5_000) for _ in range(20))])
    assert len(await records(topic, 23)) == 23


@pytest.mark.integration
async def test_concurrent_first_writes_share_one_producer(topic: str) -> None:
    """No entry is lost, and no task remains."""
    before = asyncio.all_tasks()
    async with destination_for(topic) as destination:
        await asyncio.gather(*(destination.write_batch([entry() for _ in range(50)]) for _ in range(20)))
    await wait_until(lambda: asyncio.all_tasks() == before)
    assert len(await records(topic, 1_000)) == 1_000


@pytest.mark.integration
async def test_several_processes_may_create_the_topic_at_once(topic: str) -> None:
    """Servers that start together on a new topic write every entry exactly once."""
    command = (sys.executable, PROGRAM, ",".join(SERVERS), topic)
    processes = [
        await asyncio.create_subprocess_exec(*command, str(number), stdin=PIPE, stdout=PIPE, stderr=PIPE)
        for number in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    ends = await asyncio.gather(*(process.communicate(b"\n") for process in processes))
    assert [process.returncode for process in processes] == [0, 0, 0], ends
    read = [orjson.loads(record.value)["message"] for record in await records(topic, 30)]
    assert sorted(read) == [f"{process} {number}" for process in range(3) for number in range(10)]


@pytest.mark.integration
async def test_dead_and_silent_bootstrap_servers_are_skipped(topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One server that answers is enough, even if it is the last one tried."""
    monkeypatch.setattr("random.shuffle", lambda _: None)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent, socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        others = [f"127.0.0.1:{each.getsockname()[1]}" for each in (dead, silent)]
        destination = KafkaDestination(make_settings(bootstrap_servers=[*others, *SERVERS], topic=topic))
        await destination.write(entry("through the last one"))
        await destination.close()
    (record,) = await records(topic, 1)
    assert orjson.loads(record.value)["message"] == "through the last one"


@pytest.mark.integration
async def test_a_closed_destination_connects_again_with_the_next_write(topic: str) -> None:
    """As it does after a failure, which closes the connection."""
    async with destination_for(topic) as destination:
        await destination.write(entry("one"))
        await destination.close()
        await destination.write(entry("two"))
    assert len(await records(topic, 2)) == 2
