"""Say one thing to a backend and read it back, as its own clients do; for the tests of this folder."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime
from functools import singledispatch
from typing import TYPE_CHECKING

import asyncpg
import httpx
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from .convex import Convex
from .elasticsearch import Elasticsearch
from .kafka import Kafka
from .postgres import Postgres

if TYPE_CHECKING:
    from .backend import Backend

TOPIC = "talk"


@singledispatch
def say(backend: Backend, text: str, *, deadline: float = 20) -> None:
    """Store a text. Raises `TimeoutError` if that is not acknowledged within `deadline` seconds."""
    raise NotImplementedError(type(backend), text, deadline)


@singledispatch
def hear(backend: Backend) -> list[str]:
    """Return all texts that were stored."""
    raise NotImplementedError(type(backend))


@say.register
def _(backend: Kafka, text: str, *, deadline: float = 20) -> None:
    produce({"bootstrap.servers": backend.bootstrap_servers}, text, deadline=deadline)


@hear.register
def _(backend: Kafka) -> list[str]:
    return consume({"bootstrap.servers": backend.bootstrap_servers})


@say.register
def _(backend: Elasticsearch, text: str, *, deadline: float = 20) -> None:
    with httpx.Client(base_url=backend.url, timeout=deadline, trust_env=False) as client:
        try:
            client.post(f"/{TOPIC}/_doc", json={"text": text}, params={"refresh": "true"}).raise_for_status()
        except httpx.TimeoutException as error:
            raise TimeoutError from error


@hear.register
def _(backend: Elasticsearch) -> list[str]:
    with httpx.Client(base_url=backend.url, timeout=20, trust_env=False) as client:
        found = client.get(f"/{TOPIC}/_search").raise_for_status().json()
    return [hit["_source"]["text"] for hit in found["hits"]["hits"]]


@say.register
def _(backend: Postgres, text: str, *, deadline: float = 20) -> None:
    async def insert() -> None:
        connection = await asyncpg.connect(backend.dsn, timeout=deadline)
        await connection.execute("create table if not exists talk (text text)")
        await connection.execute("insert into talk values ($1)", text)
        await connection.close()

    asyncio.run(insert())


@hear.register
def _(backend: Postgres) -> list[str]:
    async def select() -> list[str]:
        connection = await asyncpg.connect(backend.dsn, timeout=20)
        rows = await connection.fetch("select text from talk")
        await connection.close()
        return [row["text"] for row in rows]

    return asyncio.run(select())


@say.register
def _(backend: Convex, text: str, *, deadline: float = 20) -> None:
    ids = {name: uuid.uuid4().hex for name in ("entryId", "correlationId")}
    log = {**ids, "timestamp": datetime.now(UTC).isoformat(), "level": "INFO", "logType": "internal", "message": text}
    with backend.client(timeout=deadline) as client:
        try:
            client.post("/logs/ingest", json={"log": log}).raise_for_status()
        except httpx.TimeoutException as error:
            raise TimeoutError from error


@hear.register
def _(backend: Convex) -> list[str]:
    with backend.client() as client:
        found = client.get("/logs/query", params={"limit": 10_000}).raise_for_status().json()
    return [log["message"] for log in found["logs"]]


def produce(settings: dict[str, str], text: str, *, deadline: float = 20) -> None:
    """Send one Kafka message and wait for all acknowledgements."""
    producer = Producer({**settings, "message.timeout.ms": int(deadline * 1000), "log_level": 0})
    outcome: list[str] = []
    # As text: to compare a KafkaError with None is a SystemError.
    producer.produce(TOPIC, text.encode(), on_delivery=lambda error, _message: outcome.append(str(error)))
    producer.flush(deadline + 1)
    if outcome != ["None"]:
        raise TimeoutError(outcome)


def consume(settings: dict[str, str]) -> list[str]:
    """Read a Kafka topic from its beginning to its end."""
    consumer = Consumer(
        {
            **settings,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    consumer.subscribe([TOPIC])
    try:
        return _until_the_end(consumer)
    finally:
        consumer.close()


def _until_the_end(consumer: Consumer) -> list[str]:
    """Return the messages before the end of the partition."""
    texts: list[str] = []
    while (message := consumer.poll(20)) is not None:
        error = message.error()
        if error is None:
            texts.append((message.value() or b"").decode())
        elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 (its public name)
            return texts
        else:
            raise KafkaException(error)
    raise TimeoutError(texts)
