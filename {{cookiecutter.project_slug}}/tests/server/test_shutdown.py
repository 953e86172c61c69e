"""How the server ends: every call is delivered, in time."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import JSON_LINES
from helpers import eventually
from mcp import Client

from {{cookiecutter.project_slug}}.server.recording import BY_CLIENT, BY_DISCONNECT, BY_SHUTDOWN
from {{cookiecutter.project_slug}}.server.shutdown import cancel_tasks

from .server_helpers import CALLS, HELLO, assert_all_delivered, call_many, is_running, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from .server_helpers import Entries, Start


@pytest.mark.parametrize(
    ("mode", "number"),
    [("auto", None), ("legacy", None), ("auto", signal.SIGTERM), ("legacy", signal.SIGINT)],
)
async def test_every_call_is_delivered_however_a_stdio_server_ends(
    over_stdio: Callable[..., Any], serve_arguments: list[str], own_logging: Entries, mode: str, number: int | None
) -> None:
    """The client disconnects or sends a signal; a running call is recorded as cancelled; the end takes two seconds."""
    async with Client(over_stdio(serve_arguments), mode=mode) as client:
        process_id = int((await client.call_tool("process_id", {})).content[0].text)
        await call_many(client)
        hanging = asyncio.create_task(client.call_tool("hang", {}, meta={"correlation_id": "hanging"}))
        await client.list_tools()
        started = time.monotonic()
        if number is not None:
            os.kill(process_id, number)
            await eventually(lambda: not is_running(process_id))
            assert time.monotonic() - started < 2
    hanging.cancel()
    assert time.monotonic() - started < 2.5
    entries = own_logging()
    assert_all_delivered(entries)
    (hung,) = [entry for entry in entries if entry["tool_name"] == "hang"]
    reasons = (BY_CLIENT, BY_DISCONNECT) if number is None else (BY_SHUTDOWN,)
    assert hung["status"] == "cancelled"
    assert hung["error_message"].startswith(reasons)
    assert {entry["transport"] for entry in entries} == {"stdio"}


def test_a_hanging_destination_delays_neither_calls_nor_the_exit(
    own_logging: Entries, serve_arguments: list[str], start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another destination receives all entries; stderr shows how many the hanging one lost."""
    monkeypatch.setenv("LOG_DESTINATION_TYPE", f"fake_destinations:HangingDestination,{JSON_LINES}")
    process = start(*serve_arguments)
    request(process, 0, "initialize", **HELLO)
    started = time.monotonic()
    for number in range(1, CALLS + 1):
        request(process, number, "tools/call", name="process_id", arguments={})
    assert time.monotonic() - started < 10
    started = time.monotonic()
    _, err = process.communicate(timeout=5)
    assert time.monotonic() - started < 2
    assert re.search(r"memory: written 0, retried \d+, dropped 3\d\d,", err)
    assert len([entry for entry in own_logging() if entry["tool_name"] == "process_id"]) == CALLS


def test_running_tasks_are_cancelled_at_the_end() -> None:
    """A task that refuses to end delays the exit only until the timeout."""
    loop = asyncio.new_event_loop()
    ended: list[str] = []

    async def run(name: str, *, refuses: bool) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if refuses:
                await asyncio.sleep(60)
            ended.append(name)

    tasks = [loop.create_task(run("willing", refuses=False)), loop.create_task(run("unwilling", refuses=True))]
    loop.run_until_complete(asyncio.sleep(0))
    started = time.monotonic()
    cancel_tasks(loop, timeout=0.1)
    assert time.monotonic() - started < 5
    assert ended == ["willing"]
    cancel_tasks(loop, timeout=5)
    assert all(task.done() for task in tasks)
    loop.close()
