"""Entries, and the whole stack (buffer, retries, destination) that carries them to a destination."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bench_server.config import ServerConfig
from bench_server.logging.destinations import CompositeDestination, RetryWrapper
from bench_server.logging.destinations.base import LogDestination, LogEntry
from bench_server.logging.destinations.buffered import BufferedDestination
from bench_server.logging.factory import create_destination
from bench_server.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Sequence

HIGH_WATER = 0.8
"""Share of the buffer at which the producer waits: a paced source, so that nothing is dropped."""
DRAIN = 120.0


def make_entries(count: int) -> list[LogEntry]:
    """Return entries of tool calls as a server makes them."""
    return [
        LogEntry(
            correlation_id=f"c-{number}",
            timestamp=datetime.now(UTC),
            level="INFO",
            log_type="tool_execution",
            message="echo: success in 0.3 ms",
            tool_name="echo",
            duration_ms=0.3,
            status="success",
            input_args={"text": f"hello {number}"},
            output_summary=f"hello {number}",
            thread_name="MainThread",
            process_id=1,
            server_name="bench-server",
            server_version="0.1.0",
            transport="stdio",
            client_name="mcp",
            client_version="2.3.0",
            protocol_version="2025-11-25",
            request_id=str(number),
            hostname="host",
        )
        for number in range(count)
    ]


def with_retries(name: str, **settings: object) -> RetryWrapper:
    """Return a production destination as the factory builds it."""
    return RetryWrapper(create_destination(name, ServerConfig(**settings)), write_timeout_ms=30_000)


def carry(destination: LogDestination, entries: Sequence[LogEntry]) -> dict[str, float]:
    """Send entries through UnifiedLogger and return seconds and CPU seconds until the last one was delivered.

    Raises AssertionError when not all of them were.
    """
    buffer = BufferedDestination(destination)
    UnifiedLogger.initialize(CompositeDestination([buffer]))
    try:
        UnifiedLogger.flush(DRAIN)
        begun, cpu = time.perf_counter(), time.process_time()
        high_water = HIGH_WATER * buffer.capacity
        for number, entry in enumerate(entries):
            buffer.put(entry)
            if number % 100 == 0:
                while buffer.counters.queued > high_water:
                    time.sleep(0.0005)
        UnifiedLogger.flush(DRAIN)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        if buffer.counters.written != len(entries):
            raise AssertionError(str(buffer.counters))
        return {"seconds": seconds, "cpu": cpu}
    finally:
        UnifiedLogger.shutdown()
