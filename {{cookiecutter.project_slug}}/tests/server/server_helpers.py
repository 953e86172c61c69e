"""What tests of the server share: recorded calls, and a client that speaks the protocol by hand."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from fake_destinations import MemoryDestination
    from mcp import Client

    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry

    Entries = Callable[[], list[dict[str, Any]]]
    Start = Callable[..., subprocess.Popen[str]]

CALLS = 300
"""The number of calls in `call_many`."""
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
"""The parameters of an `initialize` request."""


def calls(memory: MemoryDestination) -> list[LogEntry]:
    """Return the tool calls recorded so far."""
    assert UnifiedLogger.flush()
    return [entry for entry in memory.entries if entry.log_type == "tool_execution"]


def requests(memory: MemoryDestination) -> list[LogEntry]:
    """Return the entries of all requests recorded so far: tools, resources and prompts."""
    assert UnifiedLogger.flush()
    return [entry for entry in memory.entries if entry.method is not None]


async def call_many(client: Client) -> None:
    """Call a tool many times concurrently, each time with another correlation id."""
    async with asyncio.TaskGroup() as group:
        for number in range(CALLS):
            group.create_task(client.call_tool("say", {"text": f"t-{number}"}, meta={"correlation_id": f"c-{number}"}))


def assert_all_delivered(entries: list[dict[str, Any]]) -> None:
    """Check that each call of `call_many` and its log line were delivered once, with the right correlation id."""
    calls = [entry for entry in entries if entry["tool_name"] == "say" and entry["duration_ms"] is not None]
    assert sorted(call["correlation_id"] for call in calls) == sorted(f"c-{number}" for number in range(CALLS))
    assert all(call["input_args"]["text"] == call["correlation_id"].replace("c", "t") for call in calls)
    lines = {entry["correlation_id"]: entry["message"] for entry in entries if entry["module"] == "example_tools"}
    assert lines == {f"c-{number}": f"said t-{number}" for number in range(CALLS)}


def request(process: subprocess.Popen[str], number: int, method: str, **params: Any) -> dict[str, Any]:
    """Send a request and return its result; check that each line on stdout is a message of the protocol."""
    message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
    while (answer := json.loads(process.stdout.readline())).get("id") != number:
        assert answer["jsonrpc"] == "2.0"
    return answer["result"]


def is_running(process_id: int) -> bool:
    """Return whether a process has not ended yet."""
    try:
        os.kill(process_id, 0)
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # this system has no /proc
        return True
