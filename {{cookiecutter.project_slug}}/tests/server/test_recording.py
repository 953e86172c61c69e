"""Each tool call is recorded exactly once, and clients notice no difference."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from helpers import eventually
from loguru import logger
from mcp import Client

from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

from .server_helpers import calls

if TYPE_CHECKING:
    from fake_destinations import MemoryDestination

    from {{cookiecutter.project_slug}}.server.recording import RecordingMCPServer


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
    """There is one entry with the time until the client gave up."""
    async with Client(server, mode=mode) as client:
        with anyio.move_on_after(0.1):
            await client.call_tool("hang", {})
        await eventually(lambda: not server.running_calls)
    (entry,) = calls(memory)
    assert (entry.tool_name, entry.status, entry.level) == ("hang", "cancelled", "WARNING")
    assert 50 < entry.duration_ms < 10_000


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
    assert {entry.log_type for entry in crash} == {"tool_execution", "internal", "framework"}
    assert any("Traceback" in str(entry.extra_data) for entry in crash if entry.log_type == "framework")
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
