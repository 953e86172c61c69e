"""Shared by the tests of the Kafka destination: the brokers under test, settings, entries, and waiting."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from helpers import require_backend

from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaSettings

if TYPE_CHECKING:
    from collections.abc import Callable

SERVERS = os.environ.get("TEST_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092").split(",")
MOMENT = datetime(2026, 3, 29, 0, 59, 59, 255000, tzinfo=UTC)


def require_kafka() -> None:
    """Fail with one sentence if no broker listens."""
    host, _, port = SERVERS[0].rpartition(":")
    require_backend(host, int(port), f"Kafka does not answer at {SERVERS[0]}: run `docker compose up -d`.")


def make_settings(**values: object) -> KafkaSettings:
    """Return settings for the brokers under test; names are those of the fields without `kafka_`."""
    given = {"bootstrap_servers": SERVERS, **values}
    return KafkaSettings.model_validate({f"kafka_{name}": value for name, value in given.items()})


def with_timeout(seconds: float, **values: object) -> KafkaSettings:
    """Return settings with the given `attempt_timeout`."""
    settings = make_settings(**values)
    share = settings.attempt_timeout / settings.log_write_timeout_ms
    return settings.model_copy(update={"log_write_timeout_ms": round(seconds / share)})


def entry(message: str = "hello", **fields: object) -> LogEntry:
    """Return an entry with a new correlation id and the current time, unless given."""
    known: dict[str, object] = {"correlation_id": uuid4().hex, "timestamp": datetime.now(UTC), **fields}
    return LogEntry(level="INFO", log_type="internal", message=message, **known)  # type: ignore[arg-type]


async def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; raise TimeoutError after five seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - some conditions belong to the event loop
            await asyncio.sleep(0.01)
