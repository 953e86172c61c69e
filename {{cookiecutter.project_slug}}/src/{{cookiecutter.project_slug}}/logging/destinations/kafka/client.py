"""The connection to Kafka: how a producer is made and ended, and in one sentence why it cannot be made."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import AccessError, DeliveryError, InvalidEntryError, SettingError
from ..driver import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiokafka import AIOKafkaProducer
    from aiokafka.client import AIOKafkaClient

RETRY_BACKOFF_MS = 500
"""Pause between aiokafka's own attempts, each of which it logs."""

_logger = logging.getLogger("aiokafka")
_REFUSALS = {
    "SaslAuthenticationFailed": "refuses {who} by {mechanism}: check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
    "UnsupportedSaslMechanismError": "does not offer KAFKA_SASL_MECHANISM {mechanism!r}",
    "IllegalSaslStateError": "does not speak KAFKA_SECURITY_PROTOCOL {protocol!r} on this port",
    "TopicAuthorizationFailedError": "does not let {who} write to the topic {topic!r}: grant WRITE and DESCRIBE",
    "ClusterAuthorizationFailedError": "does not let {who} write: grant WRITE and DESCRIBE on the topic {topic!r}, "
    "before Kafka 3.0 also IDEMPOTENT_WRITE on the cluster",
    "InvalidTopicError": "does not take the name {topic!r}: set another KAFKA_TOPIC",
}
"""What asking again cannot help, by the name of the driver's exception."""
_REJECTIONS = {
    "MessageSizeTooLargeError": "takes only smaller records: set KAFKA_MAX_MESSAGE_BYTES to the topic's "
    "max.message.bytes",
    "RecordListTooLargeError": "takes only smaller batches: set KAFKA_MAX_MESSAGE_BYTES to the topic's segment.bytes",
    "InvalidTimestampError": "refuses the time of an entry: compare this machine's clock with the broker's",
    "UnsupportedForMessageFormatError": "keeps the topic {topic!r} in a format without headers",
}
"""What is about the entries, by the name of the driver's exception."""
_CLOSED = ("ConnectionResetError", "KafkaConnectionError")
"""How a broker answers that expects another protocol, and one that goes away."""
_UNANSWERED = ("TimeoutError", "UnknownTopicOrPartitionError")
"""How a producer ends that connects but finds no topic."""


@dataclass(frozen=True, kw_only=True)
class KafkaSecurity:
    """How brokers are spoken to. Raises SettingError that names what is missing or cannot be read."""

    protocol: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    username: str = ""
    password: str = field(default="", repr=False)
    cafile: str = ""
    certfile: str = ""
    keyfile: str = ""

    def __post_init__(self) -> None:
        missing = [name for name in ("username", "password") if not getattr(self, name)]
        if self.protocol.startswith("SASL_") and missing:
            msg = f"KAFKA_SASL_{missing[0].upper()} is empty; KAFKA_SECURITY_PROTOCOL {self.protocol!r} needs it"
            raise SettingError(msg)
        if self.username and not self.protocol.startswith("SASL_"):
            msg = f"KAFKA_SECURITY_PROTOCOL is {self.protocol!r}, which sends no user name; valid with one is SASL_SSL"
            raise SettingError(msg)
        self.ssl_context()

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return a context that verifies brokers, made from the files as they are now; None without TLS."""
        if not self.protocol.endswith("SSL"):
            return None
        cafile = _expanded(self.cafile) if self.cafile else None
        with _reading("KAFKA_SSL_CAFILE", self.cafile):
            context = ssl.create_default_context(cafile=cafile)
        if self.certfile:
            key = _expanded(self.keyfile) if self.keyfile else None
            with _reading("KAFKA_SSL_CERTFILE", f"{self.certfile} (key: {self.keyfile or 'same file'})"):
                # Without a password OpenSSL would ask for one on the terminal.
                context.load_cert_chain(_expanded(self.certfile), key, password="")
        return context

    def options(self) -> dict[str, Any]:
        """Return what both a connection and a producer of aiokafka take."""
        return {
            "client_id": PACKAGE,
            "security_protocol": self.protocol,
            "ssl_context": self.ssl_context(),
            "sasl_mechanism": self.mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }


class KafkaConnection:
    """One producer for one topic, made when it is asked for and made anew after `discard`.

    Everything is given up after `timeout` seconds. With `acks` of `all` the producer is idempotent: what aiokafka
    itself sends again, after a broken connection or an election, is not doubled.
    """

    def __init__(
        self,
        servers: list[str],
        topic: str,
        *,
        security: KafkaSecurity,
        acks: str,
        compression: str | None,
        batch_bytes: int,
        timeout: float,
    ) -> None:
        self.servers = servers
        self.topic = topic
        self.timeout = timeout
        self._security = security
        self._acks = acks
        self._compression = compression
        self._batch_bytes = batch_bytes
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._ending = set[asyncio.Task[None]]()

    async def producer(self) -> AIOKafkaProducer:
        """Return the producer that is there, or connect a new one; raise DeliveryError."""
        async with self._lock:
            if self._producer is None:
                self._producer = await self._connect()
            return self._producer

    def discard(self) -> None:
        """Let the producer go after a failure; it is ended in the background, since its state is unknown."""
        producer, self._producer = self._producer, None
        if producer is not None:
            self._end(producer)

    async def close(self) -> None:
        """End the producer, and wait for those that were discarded."""
        self.discard()
        if self._ending:
            await asyncio.wait(self._ending, timeout=self.timeout)

    def explain(self, error: BaseException) -> DeliveryError:
        """Return what a driver's exception means: no AccessError or InvalidEntryError where it may pass."""
        name = type(error).__name__
        if name in _REFUSALS:
            return AccessError(f"{self._kafka} {_REFUSALS[name].format_map(self._words)}")
        if name in _REJECTIONS:
            return InvalidEntryError(f"{self._kafka} {_REJECTIONS[name].format_map(self._words)}")
        if isinstance(error, ssl.SSLCertVerificationError):
            return AccessError(
                f"{self._kafka} shows a certificate that is not trusted ({error.verify_message}): KAFKA_SSL_CAFILE "
                "must name the CA that signed it, and KAFKA_BOOTSTRAP_SERVERS a host it was issued for"
            )
        if isinstance(error, TimeoutError):
            return DeliveryError(f"{self._kafka} did not answer within {self.timeout:g} s")
        if name in _CLOSED:
            return DeliveryError(
                f"{self._kafka} closed the connection; where it always does, this port does not speak "
                f"KAFKA_SECURITY_PROTOCOL {self._words['protocol']!r}, or wants a client certificate"
            )
        return DeliveryError(f"{self._kafka} failed by {self._words['protocol']}: {str(error) or name}")

    @property
    def _kafka(self) -> str:
        return f"Kafka at {', '.join(self.servers)}"

    @property
    def _words(self) -> dict[str, str]:
        security = self._security
        who = f"the user {security.username!r}" if security.username else "this client"
        return {"who": who, "mechanism": security.mechanism, "protocol": security.protocol, "topic": self.topic}

    async def _connect(self) -> AIOKafkaProducer:
        # At DEBUG aiokafka logs every request as it is: passwords, and all entries.
        if _logger.level < logging.INFO:
            _logger.setLevel(logging.INFO)
        options = {**self._security.options(), "request_timeout_ms": int(self.timeout * 1000)}
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(self.timeout):
                producer = self._build(await self._answering(options), options)
                await producer.start()
                await producer.partitions_for(self.topic)
        except BaseException as error:
            if producer is not None:
                self._end(producer)
            if not isinstance(error, Exception):
                raise
            no_topic = producer is not None and type(error).__name__ in _UNANSWERED
            raise (self._no_topic(producer) if no_topic else self.explain(error)) from error
        return producer

    def _build(self, server: str, options: dict[str, Any]) -> AIOKafkaProducer:
        from aiokafka import AIOKafkaProducer  # noqa: PLC0415 - a driver is imported where it is switched on

        producer = AIOKafkaProducer(
            bootstrap_servers=server,
            acks=1 if self._acks == "1" else "all",
            enable_idempotence=self._acks == "all",
            compression_type=self._compression,
            max_batch_size=self._batch_bytes,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            **options,
        )
        _calm(producer.client)
        return producer

    async def _answering(self, options: dict[str, Any]) -> str:
        """Return the first bootstrap server that lets us in.

        A producer that cannot start says "Unable to bootstrap" and leaves the reason to its log; this raises it.
        """
        from aiokafka.conn import collect_hosts, create_conn  # noqa: PLC0415
        from aiokafka.errors import KafkaError  # noqa: PLC0415

        patience = {**options, "request_timeout_ms": options["request_timeout_ms"] // len(self.servers)}
        failure: Exception = DeliveryError("no server")
        for host, port, _ in collect_hosts(self.servers):
            try:
                connection = await create_conn(host, port, **patience)
            except (OSError, KafkaError) as error:
                failure = error
            else:
                connection.close()
                return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        raise failure

    def _no_topic(self, producer: AIOKafkaProducer) -> DeliveryError:
        brokers = ", ".join(f"{broker.host}:{broker.port}" for broker in producer.client.cluster.brokers())
        return DeliveryError(
            f"{self._kafka} shows no topic {self.topic!r} within {self.timeout:g} s: create it where the cluster does "
            f"not, and see whether the brokers it names can be reached from here ({brokers or 'none'})"
        )

    def _end(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.create_task(_end(producer, patience=self.timeout))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _calm(client: AIOKafkaClient) -> None:
    """Let a client pause after it found no broker to ask for metadata.

    Its sender holds a batch and asks again at once: 2,500 times a second, with four lines of the log each.
    """
    update = client._metadata_update  # noqa: SLF001

    async def update_calmly(*arguments: Any) -> bool:
        updated: bool = await update(*arguments)
        if not updated:
            await asyncio.sleep(RETRY_BACKOFF_MS / 1000)
        return updated

    client._metadata_update = update_calmly  # noqa: SLF001


async def _end(producer: AIOKafkaProducer, *, patience: float) -> None:
    """End a producer's tasks and connections without delivering what it still holds.

    Its own `stop` waits for delivery, which may never come: an idempotent producer tries for ever. So its sender is
    cancelled, which lets a request in flight come to its end, and cancelled again where that takes too long.
    """
    producer._closed = True  # noqa: SLF001 - what `stop` would set
    sender = producer._sender.sender_task  # noqa: SLF001
    while sender is not None and not sender.done():
        sender.cancel()
        await asyncio.wait([sender], timeout=patience)
        patience = 0.1
    await _close(producer.client, patience=patience)


async def _close(client: AIOKafkaClient, *, patience: float) -> None:
    """Close a client's connections; one that cannot be flushed any more is cut."""
    writers = [connection._writer for connection in client._conns.values()]  # noqa: SLF001
    closing = asyncio.create_task(client.close())
    await asyncio.wait([closing], timeout=patience)
    for writer in filter(None, writers):
        writer.transport.abort()
    await closing


def _expanded(path: str) -> str:
    return str(Path(path).expanduser())


@contextlib.contextmanager
def _reading(setting: str, value: str) -> Iterator[None]:
    """Raise SettingError for a file that cannot be read."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        msg = f"{setting} is {value!r}, which cannot be used ({reason}); it takes PEM files without a passphrase"
        raise SettingError(msg) from error
