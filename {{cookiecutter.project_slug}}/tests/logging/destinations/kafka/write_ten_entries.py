"""Write ten entries to a topic after a line on stdin: write_ten_entries.py SERVERS TOPIC NAME."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

import aiokafka  # noqa: F401 - imported first, so that all processes write at the same moment

from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.kafka import KafkaDestination, KafkaSettings


async def main(servers: str, topic: str, name: str) -> None:
    """Write the messages `NAME 0` to `NAME 9`."""
    destination = KafkaDestination(KafkaSettings(kafka_bootstrap_servers=servers.split(","), kafka_topic=topic))
    now = datetime.now(UTC)
    entries = [LogEntry(name, now, "INFO", "internal", f"{name} {number}") for number in range(10)]
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    await destination.write_batch(entries)
    await destination.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
