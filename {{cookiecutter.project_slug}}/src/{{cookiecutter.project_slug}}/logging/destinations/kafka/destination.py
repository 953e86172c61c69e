"""Kafka: one JSON record per entry, keyed by its correlation id; written only, read by whoever consumes the topic."""

from __future__ import annotations

import asyncio
import importlib.util
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, SecretStr

from ...errors import InvalidEntryError, LoggingError, MissingDriverError, PartialDeliveryError, SettingError
from ...redaction import without_login
from ...settings import LogSettings, TextList, UpperCase
from ..base import LogDestination, LogEntry
from ..driver import require_driver
from .client import KafkaConnection, KafkaSecurity
from .encoding import by_partition, make_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiokafka import AIOKafkaProducer
    from aiokafka.producer.message_accumulator import BatchBuilder
    from aiokafka.structs import RecordMetadata

BATCH_BYTES = 512 * 1024
"""Size of a record batch, which holds 500 entries as a rule; aiokafka's own 16 KiB would cost 25 round trips."""
MAX_MESSAGE_BYTES = 1_048_576
"""Size of a record that a broker takes unless configured otherwise (`message.max.bytes`)."""
MAX_PORT = 65_535

_SERVER = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")
_TOPIC = re.compile(r"(?!\.{1,2}\Z)[a-zA-Z0-9._-]{1,249}")
_PLAIN_CODECS = ("none", "gzip")
_CODECS = (*_PLAIN_CODECS, "snappy", "lz4", "zstd")
_UNFIT = (ArithmeticError, AttributeError, TypeError, ValueError)
"""What an entry raises whose fields are not what they should be."""


def _lower(value: object) -> object:
    return str(value).strip().lower()


class KafkaSettings(LogSettings):
    """Settings of the Kafka destination."""

    kafka_bootstrap_servers: TextList = Field(
        default=["localhost:9092"], description="Brokers to ask first, host:port, comma-separated."
    )
    kafka_topic: str = Field(default="mcp-logs", description="Topic that entries are written to.")
    kafka_acks: Annotated[str, BeforeValidator(_lower)] = Field(
        default="all", description="Who has to have an entry: all replicas in sync (all), or the leader (1)."
    )
    kafka_compression_type: Annotated[str, BeforeValidator(_lower)] = Field(
        default="none", description="none or gzip; snappy, lz4 and zstd with the package cramjam."
    )
    kafka_security_protocol: Annotated[Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], UpperCase] = Field(
        default="PLAINTEXT", description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."
    )
    kafka_sasl_mechanism: Annotated[Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"], UpperCase] = Field(
        default="PLAIN", description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."
    )
    kafka_sasl_username: str = Field(default="", description="User name for SASL.")
    kafka_sasl_password: SecretStr = Field(default=SecretStr(""), description="Password for SASL.")
    kafka_ssl_cafile: str = Field(default="", description="PEM file of the CA; the system's CAs where it is empty.")
    kafka_ssl_certfile: str = Field(default="", description="PEM file of a client certificate.")
    kafka_ssl_keyfile: str = Field(default="", description="PEM file of its key, without a passphrase.")
    kafka_max_message_bytes: int = Field(
        default=MAX_MESSAGE_BYTES,
        ge=16_384,
        le=100_000_000,
        description="Largest record the topic takes; larger entries are trimmed to fit.",
    )


class _Sent(NamedTuple):
    """A record batch on its way, and the entries in it."""

    entries: list[LogEntry]
    future: asyncio.Future[RecordMetadata]


@dataclass(slots=True)
class _Attempt:
    """How far a batch has come, which counts also where sending it ends midway."""

    entries: Sequence[LogEntry]
    sent: list[_Sent] = field(default_factory=list)
    unfit: list[LogEntry] = field(default_factory=list)


class KafkaDestination(LogDestination):
    """Records of one topic, every acknowledgement awaited.

    An attempt whose outcome is unknown is made again, so consumers that mind duplicates drop an `entry_id` (a header)
    that they have seen. Entries of one correlation id share a partition, and so keep their order.
    """

    name = "kafka"
    settings_class = KafkaSettings
    batch_size = 2_000
    driver = "aiokafka"
    driver_loggers = ("aiokafka",)
    fix_hint = (
        "KAFKA_BOOTSTRAP_SERVERS must name brokers that run, KAFKA_SECURITY_PROTOCOL what their port speaks, "
        "KAFKA_TOPIC a topic that this client, or the user KAFKA_SASL_USERNAME, may write to"
    )

    def __init__(
        self,
        bootstrap_servers: Sequence[str],
        *,
        topic: str = "mcp-logs",
        acks: str = "all",
        compression_type: str = "none",
        security_protocol: str = "PLAINTEXT",
        sasl_mechanism: str = "PLAIN",
        sasl_username: str = "",
        sasl_password: str = "",
        ssl_cafile: str = "",
        ssl_certfile: str = "",
        ssl_keyfile: str = "",
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        timeout: float = 4.0,
    ) -> None:
        _check_servers(bootstrap_servers)
        _check_topic(topic)
        _check_acks(acks)
        _check_compression(compression_type)
        self.topic = topic
        self.timeout = timeout
        self.max_message_bytes = max_message_bytes
        self._connection = KafkaConnection(
            list(bootstrap_servers),
            topic,
            security=KafkaSecurity(
                protocol=security_protocol,
                mechanism=sasl_mechanism,
                username=sasl_username,
                password=sasl_password,
                cafile=ssl_cafile,
                certfile=ssl_certfile,
                keyfile=ssl_keyfile,
            ),
            acks=acks,
            compression=None if compression_type == "none" else compression_type,
            batch_bytes=min(BATCH_BYTES, max_message_bytes),
            timeout=timeout,
        )

    @classmethod
    def from_config(cls, config: KafkaSettings) -> Self:
        """Build the destination; raise MissingDriverError without aiokafka, SettingError for a malformed setting."""
        require_driver(cls.driver, name=cls.name)
        return cls(
            config.kafka_bootstrap_servers,
            topic=config.kafka_topic,
            acks=config.kafka_acks,
            compression_type=config.kafka_compression_type,
            security_protocol=config.kafka_security_protocol,
            sasl_mechanism=config.kafka_sasl_mechanism,
            sasl_username=config.kafka_sasl_username,
            sasl_password=config.kafka_sasl_password.get_secret_value(),
            ssl_cafile=config.kafka_ssl_cafile,
            ssl_certfile=config.kafka_ssl_certfile,
            ssl_keyfile=config.kafka_ssl_keyfile,
            max_message_bytes=config.kafka_max_message_bytes,
            timeout=config.attempt_timeout,
        )

    async def open(self) -> None:
        """Connect, and let the broker make the topic; raise AccessError where it does not let us in."""
        await self._connection.producer()

    async def write(self, entry: LogEntry) -> None:
        """Send one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Send entries and wait until the broker has them; raise PartialDeliveryError when it has only some."""
        attempt = _Attempt(entries)
        failure: Exception | None = None
        try:
            producer = await self._connection.producer()
            async with asyncio.timeout(self.timeout):
                await self._send(producer, attempt)
                if attempt.sent:
                    await asyncio.wait([batch.future for batch in attempt.sent])
        except LoggingError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - a part may have arrived all the same
            failure = self._connection.explain(error)
        except BaseException:
            self._connection.discard()
            raise
        self._settle(attempt, failure)

    async def close(self) -> None:
        """End the connection."""
        await self._connection.close()

    async def _send(self, producer: AIOKafkaProducer, attempt: _Attempt) -> None:
        """Send entries as record batches, each on its way while the next one is encoded."""
        partitions = sorted(await producer.partitions_for(self.topic))
        for partition, group in by_partition(attempt.entries, partitions):
            for builder, part in self._batches(producer, group, attempt.unfit):
                future = await producer.send_batch(builder, self.topic, partition=partition)
                future.add_done_callback(_retrieve)
                attempt.sent.append(_Sent(part, future))
                await asyncio.sleep(0)

    def _batches(
        self, producer: AIOKafkaProducer, entries: Sequence[LogEntry], unfit: list[LogEntry]
    ) -> Iterator[tuple[BatchBuilder, list[LogEntry]]]:
        builder, part = producer.create_batch(), list[LogEntry]()
        for entry in entries:
            try:
                timestamp, key, value, headers = make_record(entry, max_bytes=self.max_message_bytes)
            except _UNFIT:
                unfit.append(entry)
                continue
            if builder.append(timestamp=timestamp, key=key, value=value, headers=headers) is None:
                yield builder, part
                builder, part = producer.create_batch(), []
                builder.append(timestamp=timestamp, key=key, value=value, headers=headers)
            part.append(entry)
        if part:
            yield builder, part

    def _settle(self, attempt: _Attempt, failure: Exception | None) -> None:
        """Raise what became of the entries, when not all of them arrived."""
        arrived, rejected = list[LogEntry](), list(attempt.unfit)
        for part, future in attempt.sent:
            error = future.exception() if future.done() else None
            if error is not None:
                failure = self._connection.explain(error)
                rejected += part if isinstance(failure, InvalidEntryError) and len(part) == 1 else []
            elif future.done():
                arrived += part
        if failure is not None:
            self._connection.discard()
        elif not attempt.unfit:
            return
        settled = {id(entry) for entry in (*arrived, *rejected)}
        again = [entry for entry in attempt.entries if id(entry) not in settled]
        failure = failure or InvalidEntryError(f"{len(attempt.unfit)} entries hold fields that make no Kafka record")
        if len(attempt.entries) in (len(again), len(rejected)):
            raise failure
        raise PartialDeliveryError(str(failure), retryable=again, invalid=rejected) from failure


def _retrieve(future: asyncio.Future[RecordMetadata]) -> None:
    """Look at a result that nobody may be waiting for any more, or asyncio complains."""
    if not future.cancelled():
        future.exception()


def _check_servers(servers: Sequence[str]) -> None:
    for server in servers:
        match = _SERVER.fullmatch(server)
        if match is None or not 1 <= int(match[1]) <= MAX_PORT:
            shown = without_login(server)
            msg = f"KAFKA_BOOTSTRAP_SERVERS holds {shown!r}; valid is host:port, several comma-separated"
            raise SettingError(msg)
    if not servers:
        msg = "KAFKA_BOOTSTRAP_SERVERS is empty; valid is host:port, several comma-separated"
        raise SettingError(msg)


def _check_topic(topic: str) -> None:
    if _TOPIC.fullmatch(topic) is None:
        msg = f"KAFKA_TOPIC is {topic!r}; valid are 1 to 249 letters, digits, '.', '_' and '-', but not . or .. alone"
        raise SettingError(msg)


def _check_acks(acks: str) -> None:
    if acks not in ("all", "1"):
        why = ", which would hide every error of the broker" if acks == "0" else ""
        msg = f"KAFKA_ACKS is {acks!r}{why}; valid are all and 1"
        raise SettingError(msg)


def _check_compression(codec: str) -> None:
    if codec not in _CODECS:
        msg = f"KAFKA_COMPRESSION_TYPE is {codec!r}; valid are {', '.join(_CODECS)}"
        raise SettingError(msg)
    if codec not in _PLAIN_CODECS and importlib.util.find_spec("cramjam") is None:
        msg = f"KAFKA_COMPRESSION_TYPE is {codec!r}, which needs the package cramjam: run pip install cramjam"
        raise MissingDriverError(msg)
