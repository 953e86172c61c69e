"""What tests of the server share: recorded calls, and a client that speaks the protocol by hand."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from mcp import Client

    Entries = Callable[[], list[dict[str, Any]]]
    Start = Callable[..., subprocess.Popen[str]]

CALLS = 300
"""The number of calls in `call_many`."""
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
"""The parameters of an `initialize` request."""


async def call_many(client: Client) -> None:
    """Call a tool many times concurrently, each time with another correlation id."""
    async with asyncio.TaskGroup() as group:
        for number in range(CALLS):
            group.create_task(client.call_tool("say", {"text": f"t-{number}"}, meta={"correlation_id": f"c-{number}"}))


def assert_all_delivered(entries: list[dict[str, Any]]) -> None:
    """Check that each call of `call_many` and its log line were delivered once, with the right correlation id."""
    calls = [entry for entry in entries if entry["tool_name"] == "say"]
    assert sorted(call["correlation_id"] for call in calls) == sorted(f"c-{number}" for number in range(CALLS))
    assert all(call["input_args"]["text"] == call["correlation_id"].replace("c", "t") for call in calls)
    lines = {entry["correlation_id"]: entry["message"] for entry in entries if entry["module"] == "helpers"}
    assert lines == {f"c-{number}": f"said t-{number}" for number in range(CALLS)}
