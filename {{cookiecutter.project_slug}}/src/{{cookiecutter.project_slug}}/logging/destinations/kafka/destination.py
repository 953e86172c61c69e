"""Kafka: one JSON record per entry, keyed by its correlation id; write-only, because consumers read the topic."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Self

from ...errors import DeliveryError, InvalidEntryError, PartialDeliveryError
from ..base import BatchDestination, LogEntry
from ..driver import require_driver, translated_errors
from .client import KafkaConnection
from .encoding import by_partition, make_batches
from .errors import translate_error
from .settings import KafkaSettings, check_settings

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer
    from aiokafka.structs import RecordMetadata


@dataclass(slots=True)
class _Attempt:
    """The progress of one `write_batch`, which counts even if sending ends midway."""

    entries: Sequence[LogEntry]
    sent: list[tuple[list[LogEntry], asyncio.Future[RecordMetadata]]] = field(default_factory=list)
    """The entries of each record batch, and the broker's acknowledgement."""
    invalid: list[LogEntry] = field(default_factory=list)


class KafkaDestination(BatchDestination):
    """Write entries to one topic and wait for every acknowledgement.

    Entries with the same correlation id share a partition, so they keep their order. A batch with an unknown outcome
    is sent again, so consumers that need unique entries skip a repeated `entry_id` (a header).
    """

    name = "kafka"
    settings_class = KafkaSettings
    batch_size = 2_000
    driver = "aiokafka"
    driver_loggers = ("aiokafka",)
    fix_hint = (
        "KAFKA_BOOTSTRAP_SERVERS must name running brokers, KAFKA_SECURITY_PROTOCOL the protocol of their port, and "
        "KAFKA_TOPIC a topic that this client, or KAFKA_SASL_USERNAME, may write to"
    )

    def __init__(self, settings: KafkaSettings) -> None:
        check_settings(settings)
        self.settings = settings
        self._connection = KafkaConnection(settings)

    @classmethod
    def from_config(cls, config: KafkaSettings) -> Self:
        """Build the destination; raise MissingDriverError without aiokafka, SettingError for an invalid value."""
        require_driver(cls.driver, name=cls.name)
        return cls(config)

    async def open(self) -> None:
        """Connect, and let the broker create the topic; raise AccessError if the broker rejects us."""
        await self._connection.producer()

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Send entries and wait for their acknowledgement; raise PartialDeliveryError if only some have one."""
        attempt = _Attempt(entries)
        failure: DeliveryError | None = None
        try:
            with translated_errors(partial(translate_error, settings=self.settings)):
                producer = await self._connection.producer()
                async with asyncio.timeout(self.settings.attempt_timeout):
                    await self._send(producer, attempt)
                    if attempt.sent:
                        await asyncio.wait([acknowledged for _, acknowledged in attempt.sent])
        except DeliveryError as error:  # some of the entries may have arrived
            failure = error
        except BaseException:
            self._connection.discard()
            raise
        self._settle(attempt, failure)

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()

    async def _send(self, producer: AIOKafkaProducer, attempt: _Attempt) -> None:
        """Send entries as record batches; each travels while the next one is encoded."""
        topic, max_bytes = self.settings.kafka_topic, self.settings.kafka_max_message_bytes
        partitions = sorted(await producer.partitions_for(topic))
        for partition, group in by_partition(attempt.entries, partitions):
            batches = make_batches(group, producer.create_batch, max_bytes=max_bytes, invalid=attempt.invalid)
            for batch, part in batches:
                acknowledged = await producer.send_batch(batch, topic, partition=partition)
                acknowledged.add_done_callback(_retrieve_exception)
                attempt.sent.append((part, acknowledged))
                await asyncio.sleep(0)  # let the sender start

    def _settle(self, attempt: _Attempt, failure: DeliveryError | None) -> None:
        """Return if all entries arrived; otherwise raise an error for those that did not."""
        arrived, invalid = list[LogEntry](), list(attempt.invalid)
        for part, acknowledged in attempt.sent:
            if not acknowledged.done():
                continue
            error = acknowledged.exception()
            if error is None:
                arrived += part
                continue
            failure = translate_error(error, self.settings)
            if isinstance(failure, InvalidEntryError) and len(part) == 1:
                invalid += part
        if failure is not None:
            self._connection.discard()
        elif invalid:
            failure = InvalidEntryError(f"{len(invalid)} entries have fields that cannot be encoded as a Kafka record")
        else:
            return
        settled = {id(entry) for entry in (*arrived, *invalid)}
        retryable = [entry for entry in attempt.entries if id(entry) not in settled]
        if len(attempt.entries) in (len(retryable), len(invalid)):
            raise failure
        raise PartialDeliveryError(str(failure), retryable=retryable, invalid=invalid) from failure


def _retrieve_exception(acknowledged: asyncio.Future[RecordMetadata]) -> None:
    """Retrieve an exception that may have no reader left, so that asyncio does not log it."""
    if not acknowledged.cancelled():
        acknowledged.exception()
