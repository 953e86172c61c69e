"""Where entries go: the settings that send them there, and an independent way to read what arrived."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
import uuid
from abc import ABC, abstractmethod
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

import asyncpg
import httpx
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.backends.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.backends import Convex, Elasticsearch, Kafka, Postgres

PAGE = 10_000
CONVEX_PAGE = 1_000
"""Documents that the shipped function returns at once."""
PATIENCE = 60.0
Row = tuple[Any, ...]


def unique() -> str:
    """Return a word that is nowhere else."""
    return f"t{uuid.uuid4().hex[:12]}"


class Target(ABC):
    """A place of one's own in a backend; `settings` are the environment variables that choose it."""

    name: ClassVar[str]

    def __init__(self, **settings: str) -> None:
        self.settings = settings

    @property
    def alone(self) -> dict[str, str]:
        """Return the settings with which entries go here and nowhere else."""
        only = {"ENABLE_LOCAL_LOGGING": "false", "ENABLE_PRODUCTION_LOGGING": "true", "LOG_DESTINATION_TYPE": self.name}
        return only | self.settings

    @abstractmethod
    def read(self, *fields: str) -> list[Row]:
        """Return the named fields of every entry that is there, by the names they have in the project."""

    def find(self, text: str, *fields: str) -> list[Row]:
        """Return the named fields of the entries whose first one holds a text."""
        return [row for row in self.read(*fields) if text in (row[0] or "")]

    def wait_for(self, text: str, *fields: str, count: int = 1) -> list[Row]:
        """Wait until that many entries hold a text in the first of the named fields, and return them."""
        found: list[Row] = []

        def have_come() -> bool:
            found[:] = self.find(text, *fields)
            return len(found) >= count

        assert wait_until(have_come, PATIENCE, interval=0.2), f"{self.name}: {len(found)} of {count} entries came"
        return found


class KafkaTarget(Target):
    """A topic, read by librdkafka."""

    name = "kafka"

    def __init__(self, kafka: Kafka) -> None:
        self.topic = unique()
        self.bootstrap_servers = kafka.bootstrap_servers
        super().__init__(KAFKA_BOOTSTRAP_SERVERS=self.bootstrap_servers, KAFKA_TOPIC=self.topic)

    def read(self, *fields: str) -> list[Row]:
        """Return what the records' values say."""
        values = (json.loads(message.value() or b"") for message in self.messages())
        return [tuple(value[name] for name in fields) for value in values]

    def messages(self) -> Iterator[Message]:
        """Yield all records that are there now."""
        options = {"bootstrap.servers": self.bootstrap_servers, "group.id": self.topic, "log_level": 0}
        consumer = Consumer({**options, "auto.offset.reset": "earliest", "enable.auto.commit": False})
        try:
            left = 0
            known = consumer.list_topics(self.topic, timeout=20).topics[self.topic].partitions
            for number in known:
                low, high = _offsets(consumer, TopicPartition(self.topic, number))
                left += high - low
            consumer.assign([TopicPartition(self.topic, number, 0) for number in known])
            while left:
                for message in consumer.consume(min(left, PAGE), timeout=20):
                    if (error := message.error()) is not None:
                        raise KafkaException(error)
                    left -= 1
                    yield message
        finally:
            consumer.close()


class ElasticsearchTarget(Target):
    """Daily indices, read over HTTP."""

    name = "elasticsearch"

    def __init__(self, elasticsearch: Elasticsearch) -> None:
        self.url = elasticsearch.url
        self.prefix = unique()
        super().__init__(ELASTICSEARCH_HOSTS=self.url, ELASTICSEARCH_INDEX_PREFIX=self.prefix)

    def read(self, *fields: str) -> list[Row]:
        """Return what the documents say."""
        return [tuple(source.get(name) for name in fields) for source in self._sources(fields)]

    def client(self) -> httpx.Client:
        """Return a client of the cluster."""
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def _sources(self, fields: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        with self.client() as client:
            client.post(f"/{self.prefix}-*/_refresh").raise_for_status()
            query = {"size": PAGE, "_source": list(fields), "sort": ["_doc"]}
            found = client.post(f"/{self.prefix}-*/_search", params={"scroll": "1m"}, json=query)
            while hits := found.raise_for_status().json()["hits"]["hits"]:
                yield from (hit["_source"] for hit in hits)
                scroll = {"scroll": "1m", "scroll_id": found.json()["_scroll_id"]}
                found = client.post("/_search/scroll", json=scroll)


class PostgresTarget(Target):
    """A table, read by SQL."""

    name = "postgres"

    def __init__(self, postgres: Postgres) -> None:
        self.dsn = postgres.dsn
        self.table = unique()
        super().__init__(POSTGRES_DSN=self.dsn, POSTGRES_TABLE=self.table)

    def read(self, *fields: str) -> list[Row]:
        """Return what the rows say; a table that is not there says nothing."""
        try:
            return [tuple(row) for row in self.fetch(f'select {", ".join(fields)} from "{self.table}"')]
        except asyncpg.UndefinedTableError:
            return []

    def fetch(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Return the rows of a query."""

        async def run() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.dsn, timeout=20)
            try:
                rows: list[asyncpg.Record] = await connection.fetch(query, *values)
                return rows
            finally:
                await connection.close()

        return asyncio.run(run())


class ConvexTarget(Target):
    """The deployment's one table, read by the function that it came with."""

    name = "convex"

    def __init__(self, convex: Convex) -> None:
        self._convex = convex
        self._since = datetime.now(UTC).isoformat()
        super().__init__(CONVEX_ENDPOINT_URL=convex.url, CONVEX_API_KEY=convex.api_key)

    def read(self, *fields: str) -> list[Row]:
        """Return what the documents say that are no older than this object."""
        return [tuple(document.get(camel(name)) for name in fields) for document in self.documents()]

    def documents(self) -> Iterator[dict[str, Any]]:
        """Yield the documents, newest first."""
        cursor: str | None = None
        while True:
            filters = {"since": self._since}
            page: Any = self._convex.run("logs:page", filters=filters, cursor=cursor, rows=CONVEX_PAGE)
            yield from page["logs"]
            if (cursor := page["cursor"]) is None:
                return


class SQLiteTarget(Target):
    """A file, read by the standard library."""

    name = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(SQLITE_PATH=str(path))

    @property
    def alone(self) -> dict[str, str]:
        """Return the settings with which entries go here and nowhere else."""
        return self.settings

    def read(self, *fields: str) -> list[Row]:
        """Return what the rows say; a file that is not there says nothing."""
        if not self.path.exists():
            return []
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(f"select {', '.join(fields)} from unified_logs").fetchall()


def camel(name: str) -> str:
    """Return a field's name as Convex has it."""
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))


def _offsets(consumer: Consumer, partition: TopicPartition) -> tuple[int, int]:
    """Return the first and the next offset of a partition; a new one may not have elected its leader yet."""
    deadline = time.monotonic() + 20
    while True:
        try:
            low, high = consumer.get_watermark_offsets(partition, timeout=20)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.NOT_LEADER_FOR_PARTITION or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return low, high
