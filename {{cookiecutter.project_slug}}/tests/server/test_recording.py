"""Each tool call is recorded exactly once, and clients notice no difference."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from helpers import eventually
from loguru import logger
from mcp import Client

from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger
from {{cookiecutter.project_slug}}.server.recorded_call import RecordedCall
from {{cookiecutter.project_slug}}.server.recording import BY_SHUTDOWN

from .server_helpers import calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_destinations import MemoryDestination

    from {{cookiecutter.project_slug}}.server.recording import RecordingMCPServer

    from .server_helpers import Entries


async def test_clients_see_the_results_of_an_ordinary_server(client: Client) -> None:
    """They do not see the text of an unexpected exception, but that of a returned error."""
    async with client:
        crash = await client.call_tool("crash", {"secret": "hunter2"})
        error = await client.call_tool("return_an_error", {})
    assert crash.content[0].text == "Error executing tool crash"
    assert error.content[0].text == "returned error"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_cancelled_call_is_recorded_as_cancelled(
    server: RecordingMCPServer, memory: MemoryDestination, mode: str
) -> None:
    """There is one entry with the time until the client gave up, and it says that the client cancelled."""
    async with Client(server, mode=mode) as client:
        with anyio.move_on_after(0.1):
            await client.call_tool("hang", {})
        await eventually(lambda: not server.running_calls)
    (entry,) = calls(memory)
    assert (entry.tool_name, entry.status, entry.level) == ("hang", "cancelled", "WARNING")
    reason = ": caller cancelled" if mode == "legacy" else ""  # in process, only the older protocol sends a reason
    assert entry.error_message == f"cancelled by the client{reason}"
    assert 50 < entry.duration_ms < 10_000


async def test_a_sync_tool_that_the_client_cancelled_is_recorded_as_cancelled(
    server: RecordingMCPServer, memory: MemoryDestination
) -> None:
    """Its thread runs to its end, but the client gets neither result nor error: what the client saw decides."""
    async with Client(server) as client:
        for then in ("return", "raise"):
            with anyio.move_on_after(0.1):
                await client.call_tool("sleep_in_thread", {"seconds": 0.5, "then": then})
            await eventually(lambda: not server.running_calls)
    for entry in calls(memory):
        assert (entry.status, entry.output_summary, entry.traceback) == ("cancelled", None, None)
        assert entry.error_message.startswith("cancelled by the client")


async def test_a_call_cancelled_by_the_call_around_it_says_so(
    server: RecordingMCPServer, memory: MemoryDestination
) -> None:
    """A tool that gives a nested call a timeout cancels it, not the client."""

    async def impatient() -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await server.call_tool("hang", {})
        return "done"

    server.add_tool(impatient)
    await server.call_tool("impatient", {})
    await eventually(lambda: not server.running_calls)
    outcomes = {entry.tool_name: (entry.status, entry.error_message) for entry in calls(memory)}
    assert outcomes == {"hang": ("cancelled", "cancelled by the call around it"), "impatient": ("success", None)}


async def test_a_tool_that_cancels_itself_is_not_blamed_on_the_client(
    server: RecordingMCPServer, memory: MemoryDestination
) -> None:
    """No client and no shutdown asked for it."""
    with suppress(asyncio.CancelledError):
        await server.call_tool("give_up", {})
    assert [entry.error_message for entry in calls(memory)] == ["cancelled by the tool itself"]


async def test_a_call_cancelled_by_the_shutdown_says_so(server: RecordingMCPServer, memory: MemoryDestination) -> None:
    """The server has set its reason before it cancels."""
    async with anyio.create_task_group() as group:
        group.start_soon(server.call_tool, "hang", {})
        await eventually(lambda: server.running_calls)
        server.cancel_reason = BY_SHUTDOWN
        group.cancel_scope.cancel()
    assert [entry.error_message for entry in calls(memory)] == [BY_SHUTDOWN]


async def test_a_call_that_outlives_the_server_is_recorded_as_cancelled(
    server: RecordingMCPServer, memory: MemoryDestination
) -> None:
    """The thread of a sync tool cannot be stopped; the entry has the correlation id of the call."""
    async with Client(server) as client, anyio.create_task_group() as group:
        group.start_soon(partial(client.call_tool, "hang", {}, meta={"correlation_id": "mine"}))
        await eventually(lambda: server.running_calls)
        server.abandon_calls()
        (entry,) = calls(memory)
        assert (entry.tool_name, entry.status, entry.correlation_id) == ("hang", "cancelled", "mine")
        group.cancel_scope.cancel()


async def test_all_lines_of_a_call_have_its_correlation_id(client: Client, memory: MemoryDestination) -> None:
    """They may come from a thread, a child task or the SDK; concurrent calls do not mix."""
    logger.info("outside")
    tags = [f"tag-{number}" for number in range(20)]
    async with client:
        async with asyncio.TaskGroup() as group:
            for tag in tags:
                meta = {"correlation_id": f"id of {tag}"}
                group.create_task(client.call_tool("log_everywhere", {"tag": tag}, meta=meta))
        await client.call_tool("crash", {}, meta={"correlationId": "crash"})
    assert len(calls(memory)) == 21
    for tag in tags:
        lines = [entry.message for entry in memory.entries if entry.correlation_id == f"id of {tag}"]
        assert sorted(lines[:4]) == [f"{tag} {way}" for way in ("child", "loguru", "stdlib", "thread")]
        assert lines[4].startswith("log_everywhere: success")
    crash = [entry for entry in memory.entries if entry.correlation_id == "crash"]
    assert {entry.log_type for entry in crash} == {"tool_execution", "internal"}
    assert "outside" not in [e.message for e in memory.entries if e.correlation_id.startswith(("id of", "crash"))]


async def test_a_call_without_a_request_is_recorded(server: RecordingMCPServer, memory: MemoryDestination) -> None:
    """A tool may call another through the server; both entries have the same correlation id."""

    async def outer() -> str:
        await server.call_tool("say", {"text": "inner"})
        return "done"

    server.add_tool(outer)
    await server.call_tool("outer", {})
    inner, outermost = calls(memory)
    assert (inner.tool_name, outermost.tool_name) == ("say", "outer")
    assert inner.correlation_id == outermost.correlation_id
    assert (outermost.client_name, outermost.request_id) == (None, None)


def broken(*_: Any) -> None:
    """Raise, as recording never should."""
    msg = "broken"
    raise LookupError(msg)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("_pipeline", None), ("entries", broken), ("emit", broken)],
    ids=["no logging", "broken at the start", "broken at the end"],
)
async def test_a_call_that_cannot_be_recorded_has_its_usual_result(
    client: Client, monkeypatch: pytest.MonkeyPatch, memory: MemoryDestination, attribute: str, value: object
) -> None:
    """A failure to record is reported once, not for each call."""
    monkeypatch.setattr(UnifiedLogger, attribute, value)
    async with client:
        assert (await client.call_tool("say", {"text": "a"})).content[0].text == "a"
        assert (await client.call_tool("crash", {})).content[0].text == "Error executing tool crash"
    assert UnifiedLogger.flush()
    reports = [text for text in memory.messages if "not recorded" in text and text.endswith("LookupError('broken')")]
    assert len(reports) == (1 if value is broken else 0)


async def test_logging_that_a_tool_removes_is_restored(server: RecordingMCPServer, memory: MemoryDestination) -> None:
    """It is restored when the call ends, each time, and a warning says once what happened."""

    def break_logging() -> None:
        logging.basicConfig(force=True)
        logger.remove()

    server.add_tool(break_logging)
    for number in range(3):
        await server.call_tool("break_logging", {})
        logger.info("heard again {number}", number=number)
    assert UnifiedLogger.flush()
    assert len([text for text in memory.messages if text.startswith("a tool removed or disabled")]) == 1
    assert [text for text in memory.messages if text.startswith("heard")] == [f"heard again {n}" for n in range(3)]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_reason_that_a_client_gives_is_recorded(
    over_stdio: Callable[..., Any], serve_arguments: list[str], own_logging: Entries, mode: str
) -> None:
    """It comes with a notification, which the SDK applies before the server can read it."""
    async with Client(over_stdio(serve_arguments), mode=mode) as client:
        await client.call_tool("say", {"text": "ready"})
        with anyio.move_on_after(0.3):
            await client.call_tool("hang", {})
        await client.call_tool("say", {"text": "still here"})
    (hung,) = [entry for entry in own_logging() if entry["tool_name"] == "hang"]
    assert (hung["status"], hung["error_message"]) == ("cancelled", "cancelled by the client: caller cancelled")


async def test_a_failure_that_cannot_be_recorded_is_left_to_the_sdk(
    client: Client, monkeypatch: pytest.MonkeyPatch, memory: MemoryDestination
) -> None:
    """Its line is the only trace then."""
    monkeypatch.setattr(RecordedCall, "failed", broken)
    async with client:
        await client.call_tool("crash", {})
    assert UnifiedLogger.flush()
    assert any("raised an unexpected exception" in text for text in memory.messages)
