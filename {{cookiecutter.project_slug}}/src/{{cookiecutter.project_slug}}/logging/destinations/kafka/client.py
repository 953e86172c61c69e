"""The connection to Kafka: create a producer, find out why it cannot connect, and stop it in time."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from ..driver import PACKAGE, translated_errors
from .errors import TOPIC_NOT_FOUND, topic_not_found, translate_error
from .settings import KafkaSettings, ssl_context

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer
    from aiokafka.client import AIOKafkaClient

BATCH_BYTES = 512 * 1024
"""Maximum size of a record batch: room for about 500 entries; aiokafka's 16 KiB would need 25 round trips."""
RETRY_BACKOFF_MS = 500  # pause between aiokafka's own attempts; it logs each of them
CLOSE_SECONDS = 0.1  # time for a cancelled task or a connection to end before it is cancelled again or aborted

_logger = logging.getLogger("aiokafka")


class KafkaConnection:
    """One producer, created on first use and again after `discard`.

    With KAFKA_ACKS `all` the producer is idempotent: aiokafka's own retries, after a broken connection or an election,
    add no duplicates.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self.settings = settings
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()
        self._stopping = set[asyncio.Task[None]]()

    async def producer(self) -> AIOKafkaProducer:
        """Return the connected producer; raise DeliveryError if it cannot connect or find its topic in time."""
        async with self._lock:
            if self._producer is None:
                with translated_errors(partial(translate_error, settings=self.settings)):
                    self._producer = await self._connect()
            return self._producer

    def discard(self) -> None:
        """Drop the producer after a failure, because its state is unknown; it stops in the background."""
        producer, self._producer = self._producer, None
        if producer is not None:
            self._stop_in_background(producer)

    async def close(self) -> None:
        """Stop the producer, and wait for the discarded ones."""
        self.discard()
        if self._stopping:
            await asyncio.wait(self._stopping, timeout=self.settings.attempt_timeout)

    async def _connect(self) -> AIOKafkaProducer:
        # At DEBUG, aiokafka logs every request in full: passwords and all entries.
        if _logger.level < logging.INFO:
            _logger.setLevel(logging.INFO)
        options = _connection_options(self.settings)
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(self.settings.attempt_timeout):
                server = await _find_server(self.settings, options)
                producer = _new_producer(server, self.settings, options)
                await producer.start()
                await producer.partitions_for(self.settings.kafka_topic)
        except BaseException as error:
            if producer is None:
                raise
            self._stop_in_background(producer)
            if type(error).__name__ in TOPIC_NOT_FOUND:
                brokers = [f"{broker.host}:{broker.port}" for broker in producer.client.cluster.brokers()]
                raise topic_not_found(self.settings, brokers=brokers) from error
            raise
        return producer

    def _stop_in_background(self, producer: AIOKafkaProducer) -> None:
        task = asyncio.create_task(_stop_producer(producer, timeout=self.settings.attempt_timeout))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


def _connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """Return the options that a connection and a producer of aiokafka have in common."""
    return {
        "client_id": PACKAGE,
        "request_timeout_ms": int(settings.attempt_timeout * 1000),
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": ssl_context(settings),
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": settings.kafka_sasl_password.get_secret_value(),
    }


async def _find_server(settings: KafkaSettings, options: dict[str, Any]) -> str:
    """Return the first bootstrap server that accepts a connection; raise the error of the last one if none does.

    A producer would only raise "Unable to bootstrap" and log the reason.
    """
    from aiokafka.conn import collect_hosts, create_conn  # noqa: PLC0415 - drivers are imported on first use
    from aiokafka.errors import KafkaError  # noqa: PLC0415

    servers, failures = settings.kafka_bootstrap_servers, list[Exception]()
    options = {**options, "request_timeout_ms": options["request_timeout_ms"] // len(servers)}
    for host, port, _ in collect_hosts(servers):
        try:
            connection = await create_conn(host, port, **options)
        except (OSError, KafkaError) as error:
            failures.append(error)
            continue
        connection.close()
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    raise failures[-1]


def _new_producer(server: str, settings: KafkaSettings, options: dict[str, Any]) -> AIOKafkaProducer:
    from aiokafka import AIOKafkaProducer  # noqa: PLC0415 - drivers are imported on first use

    codec = settings.kafka_compression_type
    producer = AIOKafkaProducer(
        bootstrap_servers=server,
        acks=1 if settings.kafka_acks == "1" else "all",
        enable_idempotence=settings.kafka_acks == "all",
        compression_type=None if codec == "none" else codec,
        max_batch_size=min(BATCH_BYTES, settings.kafka_max_message_bytes),
        retry_backoff_ms=RETRY_BACKOFF_MS,
        **options,
    )
    _pause_between_metadata_requests(producer.client)
    return producer


def _pause_between_metadata_requests(client: AIOKafkaClient) -> None:
    """Make a client pause after it found no broker to request metadata from.

    Otherwise a sender with a waiting batch asks again at once: 2,500 times a second, with four log lines each.
    """
    update = client._metadata_update  # noqa: SLF001

    async def update_then_pause(*arguments: Any) -> bool:
        updated: bool = await update(*arguments)
        if not updated:
            await asyncio.sleep(RETRY_BACKOFF_MS / 1000)
        return updated

    client._metadata_update = update_then_pause  # noqa: SLF001


async def _stop_producer(producer: AIOKafkaProducer, *, timeout: float) -> None:
    """Stop a producer without delivering its remaining batches.

    Its own `stop` waits for delivery, which an idempotent producer attempts forever. Cancelling its sender lets a
    request in flight finish; the sender is cancelled again if that takes longer than `timeout`.
    """
    producer._closed = True  # noqa: SLF001 - `stop` sets it
    sender = producer._sender.sender_task  # noqa: SLF001
    while sender is not None and not sender.done():
        sender.cancel()
        await asyncio.wait([sender], timeout=timeout)
        timeout = CLOSE_SECONDS
    await _close_connections(producer.client)


async def _close_connections(client: AIOKafkaClient) -> None:
    """Close the connections of a client; abort those that do not close in time."""
    writers = [connection._writer for connection in client._conns.values()]  # noqa: SLF001
    closing = asyncio.create_task(client.close())
    await asyncio.wait([closing], timeout=CLOSE_SECONDS)
    for writer in filter(None, writers):
        writer.transport.abort()
    await closing
