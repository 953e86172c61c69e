"""Apache Kafka through the whole stack against librdkafka: acks=all, uncompressed, one partition, all acknowledged.

librdkafka sends the same records, encoded beforehand: key, value, timestamp and headers.
"""

from __future__ import annotations

import os
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import orjson
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from .report import alternate, compare
from .stack import carry, make_entries, with_retries

if TYPE_CHECKING:
    from bench_server.logging.destinations.base import LogEntry

COUNT = 50_000
SERVERS = os.environ["TEST_KAFKA_BOOTSTRAP_SERVERS"]


def main(runs: int) -> None:
    """Print the entries per second of both."""
    compare("kafka", alternate(runs, _stack, _bare), {"entries per second": ">= 0.50"})


def _new_topic() -> str:
    topic = f"bench-{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": SERVERS})  # ends, with what it was asked, when nothing refers to it
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    return topic


def _stack() -> dict[str, float]:
    destination = with_retries("kafka", kafka_bootstrap_servers=[SERVERS], kafka_topic=_new_topic())
    return {"entries per second": COUNT / carry(destination, make_entries(COUNT))["seconds"]}


def _bare() -> dict[str, float]:
    topic, delivered = _new_topic(), 0
    records = [_record(entry) for entry in make_entries(COUNT)]
    producer = Producer({"bootstrap.servers": SERVERS, "acks": "all", "queue.buffering.max.messages": COUNT})

    def count(error: object, _: object) -> None:
        nonlocal delivered
        if error is None:
            delivered += 1

    producer.list_topics(topic, 30)
    begun = time.perf_counter()
    for record in records:
        producer.produce(topic, **record, on_delivery=count)
        producer.poll(0)
    producer.flush(60)
    seconds = time.perf_counter() - begun
    if delivered != COUNT:
        msg = f"librdkafka delivered {delivered} of {COUNT}"
        raise AssertionError(msg)
    return {"entries per second": COUNT / seconds}


def _record(entry: LogEntry) -> dict[str, Any]:
    return {
        "key": entry.correlation_id.encode(),
        "value": orjson.dumps(entry.to_dict()),
        "timestamp": int(entry.timestamp.timestamp() * 1000),
        "headers": [("entry_id", entry.entry_id.encode()), ("schema_version", b"1")],
    }


if __name__ == "__main__":
    main(int(sys.argv[1]))
