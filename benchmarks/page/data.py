"""The stored entries: calls and log lines of the last 30 days, at other times in each run."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bench_server.logging.entry import LogEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = 30
TOOLS = 20
CLIENTS = ("claude-code", "claude-ai", "cursor")
ERRORS = ("ValueError", "httpx.ReadTimeout", "ToolError")
FAILURES = 0.03
RARE_PRINCIPAL = "svc-42"
RARE_TEXT = "needle"
RARE_EVERY = 50_000
"""One call in so many has a principal and a text that no other has: a search for them reads everything."""


def entries(count: int) -> Iterator[LogEntry]:
    """Yield entries, oldest first: every third one is a log line."""
    source = random.Random(13)  # noqa: S311 - test data
    start, step = datetime.now(UTC) - timedelta(days=DAYS), timedelta(days=DAYS) / count
    for number in range(count):
        if number % 3 == 2:  # noqa: PLR2004 - see above
            yield _line(source, number, start + number * step)
        else:
            yield _call(source, number, start + number * step)


def _call(source: random.Random, number: int, moment: datetime) -> LogEntry:
    failed, is_rare = source.random() < FAILURES, number % RARE_EVERY == 0
    tool = f"tool-{source.randrange(TOOLS)}"
    return LogEntry(
        entry_id=f"{source.getrandbits(128):032x}",
        correlation_id=f"{source.getrandbits(128):032x}",
        timestamp=moment,
        level="ERROR" if failed else "INFO",
        log_type="tool_execution",
        message=f"{tool}: {'failed' if failed else 'success'}",
        tool_name=tool,
        method="tools/call",
        target=tool,
        status="error" if failed else "success",
        duration_ms=round(source.lognormvariate(4, 1), 3),
        input_args={"query": f"offers of day {number % 365}", "page": number % 9},
        output_summary="" if failed else f"{number % 7} offers {RARE_TEXT if is_rare else ''}",
        output_size=None if failed else source.randrange(50, 20_000),
        error_type=source.choice(ERRORS) if failed else None,
        error_message="the supplier did not answer" if failed else None,
        client_name=source.choice(CLIENTS),
        principal=RARE_PRINCIPAL if is_rare else f"user-{source.randrange(500)}",
        transport="streamable-http",
        server_name="bench-server",
        hostname="host",
        process_id=1,
        request_id=str(number),
    )


def _line(source: random.Random, number: int, moment: datetime) -> LogEntry:
    return LogEntry(
        entry_id=f"{source.getrandbits(128):032x}",
        correlation_id=f"{source.getrandbits(128):032x}",
        timestamp=moment,
        level="WARNING" if number % 10 == 0 else "INFO",
        log_type="internal",
        message=f"asked supplier {number % 11}",
        module="bench.suppliers",
        line=number % 400,
        server_name="bench-server",
        process_id=1,
    )
