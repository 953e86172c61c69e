"""What is recorded of tool calls, seen by a client in the same process, in both protocol eras."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from helpers import MemoryDestination, eventually, register
from loguru import logger
from mcp import Client
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.types import Implementation

from {{cookiecutter.project_slug}} import __version__
from {{cookiecutter.project_slug}}.choices import COMMAND, DESCRIPTION, TITLE
from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.correlation import correlation, get_correlation_id
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger
from {{cookiecutter.project_slug}}.server import recorded_call
from {{cookiecutter.project_slug}}.server.app import create_mcp_server
from {{cookiecutter.project_slug}}.server.recording import RecordingMCPServer

if TYPE_CHECKING:
    from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry


@pytest.fixture
def server(memory: MemoryDestination) -> RecordingMCPServer:
    """Return a server with the tests' tools."""
    server = RecordingMCPServer(name="recorded")
    register(server)
    return server


@pytest.fixture(params=["auto", "legacy"])
def client(server: RecordingMCPServer, request: pytest.FixtureRequest) -> Client:
    """Return a client of each of the protocol's eras, to be entered by the test's own task."""
    return Client(server, mode=request.param, client_info=Implementation(name="tester", version="9"))


def calls(memory: MemoryDestination) -> list[LogEntry]:
    """Return the entries of tool calls that were recorded so far."""
    assert UnifiedLogger.flush()
    return [entry for entry in memory.entries if entry.log_type == "tool_execution"]


OUTCOMES = {
    "success": ("say", {"text": "hi"}, "success", None, None),
    "raises": ("crash", {}, "error", "RuntimeError", "internal detail"),
    "soft": ("fail_softly", {}, "error", "tool_error", "soft failure"),
    "schema": ("odd_output", {}, "error", "pydantic_core._pydantic_core.ValidationError", "not a number"),
    "invalid": ("say", {"txt": 1}, "validation_error", "pydantic_core._pydantic_core.ValidationError", "text"),
    "unknown": ("nope", {"a": 1}, "unknown_tool", "mcp.server.mcpserver.exceptions.ToolError", "Unknown tool: nope"),
}


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=OUTCOMES)
async def test_a_call_is_recorded_once_however_it_ends(
    client: Client, memory: MemoryDestination, outcome: tuple[Any, ...]
) -> None:
    """One entry a call, with its tool, arguments, status, level, error, duration and caller."""
    tool, arguments, status, error_type, error = outcome
    before = datetime.now(UTC)
    async with client:
        result = await client.call_tool(tool, arguments)
        (entry,) = calls(memory)
        assert (entry.tool_name, entry.input_args, entry.status) == (tool, arguments, status)
        assert entry.level == recorded_call.LEVEL_OF[status]
        assert result.is_error == (status != "success")
        assert entry.error_type == error_type
        assert (error or "") in (entry.error_message or "")
        assert (entry.error_message is None) == (error is None)
        assert before <= entry.timestamp <= datetime.now(UTC)
        assert entry.duration_ms > 0
        assert (entry.client_name, entry.client_version) == ("tester", "9")
        assert entry.protocol_version == client.protocol_version


async def test_the_client_sees_what_a_server_without_recording_would_show(client: Client) -> None:
    """The text of an unexpected exception stays on the server; an expected failure's text reaches the client."""
    async with client:
        crash = await client.call_tool("crash", {"secret": "hunter2"})
        soft = await client.call_tool("fail_softly", {})
    assert crash.content[0].text == "Error executing tool crash"
    assert soft.content[0].text == "soft failure"


async def test_output_is_summarised_and_cut(client: Client, memory: MemoryDestination) -> None:
    """A short result is kept as it is, a long one up to a bound with its size noted, a secret in it not at all."""
    async with client:
        await client.call_tool("say", {"text": "short"})
        await client.call_tool("say", {"text": "x" * 100_000})
        await client.call_tool("say", {"text": '{"password": "hunter2"}', "more": "hunter2"})
    short, long, secret = calls(memory)
    assert short.output_summary == "short"
    assert long.output_summary.endswith("... [truncated, 100000 characters]")
    assert len(long.output_summary) < 1_100
    assert "hunter2" not in secret.output_summary


async def test_secrets_are_in_no_field(client: Client, memory: MemoryDestination) -> None:
    """What a client sends as a secret is neither in arguments nor in the error that repeats it."""
    async with client:
        await client.call_tool("crash", {"secret": "password=hunter2"})
        await client.call_tool(
            "say", {"text": "a", "api_key": "hunter2", "nested": {"Authorization": "Bearer hunter2"}}
        )
        await client.call_tool("say", {"password": "hunter2"})
    assert len(calls(memory)) == 3
    assert "hunter2" not in str([entry.to_dict() for entry in memory.entries])


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_cancelled_call_is_recorded_as_cancelled(
    server: RecordingMCPServer, memory: MemoryDestination, mode: str
) -> None:
    """A client that gives up leaves one entry that says so."""
    async with Client(server, mode=mode) as client:
        with anyio.move_on_after(0.1):
            await client.call_tool("hang", {})
        await eventually(lambda: not server.running_calls)
    (entry,) = calls(memory)
    assert (entry.tool_name, entry.status, entry.level) == ("hang", "cancelled", "WARNING")
    assert 50 < entry.duration_ms < 10_000


async def test_a_call_that_outlives_the_server_is_recorded_with_its_id(
    server: RecordingMCPServer, memory: MemoryDestination
) -> None:
    """As cancelled, by whoever ends the process: a sync tool's thread cannot be stopped."""
    async with Client(server) as client, anyio.create_task_group() as group:
        group.start_soon(partial(client.call_tool, "hang", {}, meta={"correlation_id": "mine"}))
        await eventually(lambda: server.running_calls)
        server.abandon_calls()
        (entry,) = calls(memory)
        assert (entry.tool_name, entry.status, entry.correlation_id) == ("hang", "cancelled", "mine")
        group.cancel_scope.cancel()


async def test_arguments_are_those_that_were_sent(server: RecordingMCPServer, memory: MemoryDestination) -> None:
    """A tool that changes its arguments does not change the record."""

    def mutate(items: list[int]) -> int:
        items.clear()
        return len(items)

    server.add_tool(mutate)
    async with Client(server) as client:
        await client.call_tool("mutate", {"items": [1, 2]})
    assert calls(memory)[0].input_args == {"items": [1, 2]}


async def test_all_lines_of_a_call_bear_one_id(client: Client, memory: MemoryDestination) -> None:
    """Whatever logs, from a thread, a child task or the library: the client's id; concurrent calls never mix."""
    logger.info("outside")
    tags = [f"tag-{number}" for number in range(20)]
    async with client:
        async with asyncio.TaskGroup() as group:
            for tag in tags:
                group.create_task(client.call_tool("in_lines", {"tag": tag}, meta={"correlation_id": f"id of {tag}"}))
        await client.call_tool("crash", {}, meta={"correlationId": "crash"})
    assert len(calls(memory)) == 21
    for tag in tags:
        lines = [entry.message for entry in memory.entries if entry.correlation_id == f"id of {tag}"]
        assert sorted(lines[:4]) == [f"{tag} {way}" for way in ("child", "loguru", "stdlib", "thread")]
        assert lines[4].startswith("in_lines: success")
    crash = [entry for entry in memory.entries if entry.correlation_id == "crash"]
    assert {entry.log_type for entry in crash} == {"tool_execution", "internal", "framework"}
    assert any("Traceback" in str(entry.extra_data) for entry in crash if entry.log_type == "framework")
    assert "outside" not in [e.message for e in memory.entries if e.correlation_id.startswith(("id of", "crash"))]


async def test_nested_ids_restore_the_outer_one() -> None:
    """Start-up has an id of its own; contexts nest; tasks inherit theirs."""
    start_up = get_correlation_id()
    with correlation("outer"):
        with correlation() as inner:
            assert await asyncio.create_task(asyncio.to_thread(get_correlation_id)) == inner
        assert get_correlation_id() == "outer" != inner
    assert get_correlation_id() == start_up
    assert len(start_up) == 32


@pytest.mark.parametrize(
    "chosen", [{"a": 1}, ["a"], 7, "", "x" * 129, "x" * 100_000, "a\nb", "\0", "\x1b[31m", "Bearer abc1"], ids=range(10)
)
async def test_an_id_that_is_not_usable_is_replaced_and_noted(
    client: Client, memory: MemoryDestination, chosen: Any
) -> None:
    """A dict, a list, a newline, a secret or 100,000 characters lose nothing and reach no log."""
    async with client:
        await client.call_tool("say", {"text": "a"}, meta={"correlation_id": chosen})
    (entry,) = calls(memory)
    assert len(entry.correlation_id) == 32
    assert entry.extra_data["correlation_id_replaced"].startswith("the client's correlation_id")
    assert {other.correlation_id for other in memory.entries if other.module == "helpers"} == {entry.correlation_id}


async def test_usable_ids_are_kept_and_absent_ones_made(client: Client, memory: MemoryDestination) -> None:
    """Up to 128 printable characters are taken as they are; without one, each call has its own."""
    async with client:
        await client.call_tool("say", {"text": "a"}, meta={"correlation_id": "\u00e9" * 128})
        await client.call_tool("say", {"text": "b"})
        await client.call_tool("say", {"text": "c"})
    ids = [entry.correlation_id for entry in calls(memory)]
    assert ids[0] == "\u00e9" * 128
    assert len(set(ids)) == 3
    assert calls(memory)[1].extra_data is None


async def test_the_trace_of_the_client_is_noted(client: Client, memory: MemoryDestination) -> None:
    """A W3C traceparent in `_meta` gives the entry its trace and span ids."""
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    async with client:
        await client.call_tool("say", {"text": "a"}, meta={"traceparent": f"00-{trace}-{span}-01"})
    (entry,) = calls(memory)
    assert entry.trace_id == trace
    assert len(entry.span_id) == 16


async def test_a_call_outside_of_any_request_is_recorded(server: RecordingMCPServer, memory: MemoryDestination) -> None:
    """The server's own `call_tool` is recorded too, nested calls under the outer call's id."""

    async def outer() -> str:
        await server.call_tool("say", {"text": "inner"})
        return "done"

    server.add_tool(outer)
    await server.call_tool("outer", {})
    inner, outermost = calls(memory)
    assert (inner.tool_name, outermost.tool_name) == ("say", "outer")
    assert inner.correlation_id == outermost.correlation_id
    assert (outermost.client_name, outermost.request_id) == (None, None)


async def test_the_principal_is_the_subject_of_the_token_and_never_the_token(
    server: RecordingMCPServer, memory: MemoryDestination
) -> None:
    """Where HTTP auth verified one: its subject, or the client's id where it has none."""
    for subject in ("alice", None):
        token = AccessToken(token="hunter2", client_id="client-7", scopes=[], subject=subject)
        auth_context_var.set(AuthenticatedUser(token))
        async with Client(server) as authenticated:
            await authenticated.call_tool("say", {"text": "a"})
    assert [entry.principal for entry in calls(memory)] == ["alice", "client-7"]
    assert "hunter2" not in str([entry.to_dict() for entry in memory.entries])


async def test_names_of_the_clients_choice_are_bounded(server: RecordingMCPServer, memory: MemoryDestination) -> None:
    """A client's name, version and tool name cannot fill the log."""
    info = Implementation(name="n" * 10_000, version="password=hunter2")
    async with Client(server, client_info=info) as client:
        await client.call_tool("t" * 10_000, {})
    (entry,) = calls(memory)
    assert len(entry.client_name) < 200
    assert len(entry.tool_name) < 200
    assert len(entry.error_message) < 11_000
    assert "hunter2" not in entry.client_version


def broken(*_: Any) -> None:
    """Fail as nothing that records a call should."""
    msg = "planted"
    raise LookupError(msg)


@pytest.mark.parametrize(
    "defect", [("_pipeline", None), ("entries", broken), ("emit", broken)], ids=["off", "begin", "end"]
)
async def test_calls_that_cannot_be_recorded_are_answered_as_ever(
    client: Client, monkeypatch: pytest.MonkeyPatch, memory: MemoryDestination, defect: tuple[str, Any]
) -> None:
    """Without logging, and where recording fails before or after the tool; that is said, but not for each call."""
    monkeypatch.setattr(UnifiedLogger, *defect)
    async with client:
        assert (await client.call_tool("say", {"text": "a"})).content[0].text == "a"
        assert (await client.call_tool("crash", {})).content[0].text == "Error executing tool crash"
    assert UnifiedLogger.flush()
    said = [text for text in memory.messages if "not recorded" in text and text.endswith("LookupError('planted')")]
    assert len(said) == (defect[1] is broken)


async def test_the_app_is_named_as_the_project() -> None:
    """`create_mcp_server` gives the server its name, title, description and version, and records at once."""
    config = ServerConfig(enable_local_logging=False, log_level="warning")
    server = create_mcp_server(config)
    register(server)
    async with Client(server, mode="legacy") as client:
        info = client.server_info
        assert (info.name, info.title, info.version) == (COMMAND, TITLE, __version__)
        assert info.description == DESCRIPTION
        await client.call_tool("crash", {})
    assert UnifiedLogger.counters()[-1].destination == "console"
    assert UnifiedLogger.counters()[-1].accepted >= 2
