"""What one log line and one tool-call record cost the thread that logs, in a hot loop."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING

from bench_server.logging.destinations import CompositeDestination
from bench_server.logging.unified_logger import UnifiedLogger
from bench_server.server.recorded_call import RecordedCall, current_request
from loguru import logger
from mcp.types import CallToolResult, TextContent

from .report import compare, emit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LOOPS = 20_000
TARGETS = {
    "loguru line (us)": "<= 1.25",
    "loguru line with a value (us)": "<= 1.25",
    "tool-call record (us)": "<= 10 us",
}


def main(runs: int) -> None:
    """Print the thread's CPU time per line, ours against loguru with its default format and a no-op sink."""
    pairs, records = [], []
    with _silent_stderr():
        for _ in range(runs + 1):
            logger.remove()
            bare_sink = logger.add(lambda _: None)
            bare = _lines()
            logger.remove(bare_sink)
            UnifiedLogger.initialize(CompositeDestination([]))
            pairs.append((_lines(), bare))
            records.append(_each_of_a_request(_record))
            UnifiedLogger.shutdown()
    compare("log line", pairs[1:], TARGETS)
    emit("log line", "tool-call record (us)", {"ours": sorted(records[1:])[runs // 2]}, TARGETS)


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Discard the lines that are logged; an error that ends the benchmark is still shown."""
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)


def _lines() -> dict[str, float]:
    return {
        "loguru line (us)": _each(lambda: logger.info("a line of a tool")),
        "loguru line with a value (us)": _each(lambda: logger.info("a line of {tool}", tool="echo")),
    }


def _record() -> None:
    RecordedCall("tools/call", "echo", {"text": "hello"}).returned(_RESULT)


def _each_of_a_request(work: Callable[[], None]) -> float:
    """Measure as `_each` does, within a request, whose caller each record names."""
    client = SimpleNamespace(client_info=SimpleNamespace(name="client", version="1.0"))
    session = SimpleNamespace(client_params=client)
    request = SimpleNamespace(meta=None, session=session, request=None, request_id=7, protocol_version="2025-11-25")
    token = current_request.set((request, None))
    try:
        return _each(work)
    finally:
        current_request.reset(token)


def _each(work: Callable[[], None]) -> float:
    begun = time.thread_time()
    for _ in range(LOOPS):
        work()
    return (time.thread_time() - begun) / LOOPS * 1e6


_RESULT = CallToolResult(content=[TextContent(type="text", text="hello")])

if __name__ == "__main__":
    main(int(sys.argv[1]))
