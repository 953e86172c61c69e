"""What Kafka's test modules share: the brokers under test, entries, and waiting for a condition."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from helpers import require_backend

from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry

if TYPE_CHECKING:
    from collections.abc import Callable

SERVERS = os.environ.get("TEST_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092").split(",")
MOMENT = datetime(2026, 3, 29, 0, 59, 59, 255000, tzinfo=UTC)


def require_kafka() -> None:
    """Fail with one sentence when no broker listens."""
    host, _, port = SERVERS[0].rpartition(":")
    require_backend(host, int(port), f"Kafka does not answer at {SERVERS[0]}: run `docker compose up -d`.")


def entry(message: str = "hello", **fields: object) -> LogEntry:
    """Return an entry of now, or of the time given."""
    known: dict[str, object] = {"correlation_id": uuid4().hex, "timestamp": datetime.now(UTC), **fields}
    return LogEntry(level="INFO", log_type="internal", message=message, **known)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, for five seconds at most."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - some conditions are the event loop's own
            await asyncio.sleep(0.01)
