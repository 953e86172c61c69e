"""The entry of one tool call, for clients of both eras of the protocol."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.types import Implementation

from {{cookiecutter.project_slug}}.server import recorded_call

from .server_helpers import calls

if TYPE_CHECKING:
    from fake_destinations import MemoryDestination

    from {{cookiecutter.project_slug}}.server.recording import RecordingMCPServer

VALIDATION_ERROR = "pydantic_core._pydantic_core.ValidationError"
OUTCOMES = {
    "success": ("say", {"text": "hi"}, "success", None, None),
    "exception": ("crash", {}, "error", "RuntimeError", "internal detail"),
    "returned error": ("return_an_error", {}, "error", "tool_error", "returned error"),
    "invalid output": ("break_the_schema", {}, "error", VALIDATION_ERROR, "not a number"),
    "invalid arguments": ("say", {"txt": 1}, "validation_error", VALIDATION_ERROR, "text"),
    "unknown tool": (
        "nope",
        {"a": 1},
        "unknown_tool",
        "mcp.server.mcpserver.exceptions.ToolError",
        "Unknown tool: nope",
    ),
}


@pytest.mark.parametrize(("tool", "arguments", "status", "error_type", "error"), OUTCOMES.values(), ids=OUTCOMES)
async def test_a_call_is_recorded_once_with_its_outcome(
    client: Client,
    memory: MemoryDestination,
    tool: str,
    arguments: dict[str, Any],
    status: str,
    error_type: str | None,
    error: str | None,
) -> None:
    """The entry contains tool, arguments, status, level, error, duration and client."""
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


async def test_a_long_output_is_truncated(client: Client, memory: MemoryDestination) -> None:
    """Its size is noted; a short output is kept, and a secret in it is redacted."""
    async with client:
        await client.call_tool("say", {"text": "short"})
        await client.call_tool("say", {"text": "x" * 100_000})
        await client.call_tool("say", {"text": '{"password": "hunter2"}', "more": "hunter2"})
    short, long, secret = calls(memory)
    assert short.output_summary == "short"
    assert long.output_summary.endswith("... [truncated, 100000 characters]")
    assert len(long.output_summary) < 1_100
    assert "hunter2" not in secret.output_summary


async def test_no_field_contains_a_secret(client: Client, memory: MemoryDestination) -> None:
    """Secrets in arguments, and in errors that repeat them, are redacted."""
    nested = {"text": "a", "api_key": "hunter2", "nested": {"Authorization": "Bearer hunter2"}}
    async with client:
        await client.call_tool("crash", {"secret": "password=hunter2"})
        await client.call_tool("say", nested)
        await client.call_tool("say", {"password": "hunter2"})
    assert len(calls(memory)) == 3
    assert "hunter2" not in str([entry.to_dict() for entry in memory.entries])


async def test_arguments_are_recorded_as_they_were_sent(server: RecordingMCPServer, memory: MemoryDestination) -> None:
    """A tool that changes its arguments does not change the entry."""

    def mutate(items: list[int]) -> int:
        items.clear()
        return len(items)

    server.add_tool(mutate)
    async with Client(server) as client:
        await client.call_tool("mutate", {"items": [1, 2]})
    assert calls(memory)[0].input_args == {"items": [1, 2]}


UNUSABLE_IDS = {
    "mapping": {"a": 1},
    "list": ["a"],
    "number": 7,
    "empty": "",
    "129 characters": "x" * 129,
    "100,000 characters": "x" * 100_000,
    "two lines": "a\nb",
    "NUL": "\0",
    "escape sequence": "\x1b[31m",
    "secret": "Bearer abc1",
}


@pytest.mark.parametrize("chosen", UNUSABLE_IDS.values(), ids=UNUSABLE_IDS)
async def test_an_unusable_correlation_id_is_replaced(client: Client, memory: MemoryDestination, chosen: Any) -> None:
    """The entry notes the replacement, and the log lines of the call have the new id."""
    async with client:
        await client.call_tool("say", {"text": "a"}, meta={"correlation_id": chosen})
    (entry,) = calls(memory)
    assert len(entry.correlation_id) == 32
    assert entry.extra_data["correlation_id_replaced"].startswith("the client's correlation_id")
    lines = [other for other in memory.entries if other.module == "example_tools"]
    assert {line.correlation_id for line in lines} == {entry.correlation_id}


async def test_a_usable_correlation_id_is_kept(client: Client, memory: MemoryDestination) -> None:
    """It has up to 128 printable characters; a call without one gets a new id."""
    async with client:
        await client.call_tool("say", {"text": "a"}, meta={"correlation_id": "\u00e9" * 128})
        await client.call_tool("say", {"text": "b"})
        await client.call_tool("say", {"text": "c"})
    ids = [entry.correlation_id for entry in calls(memory)]
    assert ids[0] == "\u00e9" * 128
    assert len(set(ids)) == 3
    assert calls(memory)[1].extra_data is None


async def test_the_trace_of_the_client_is_recorded(client: Client, memory: MemoryDestination) -> None:
    """A W3C traceparent in `_meta` gives the entry its trace id and span id."""
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    async with client:
        await client.call_tool("say", {"text": "a"}, meta={"traceparent": f"00-{trace}-{span}-01"})
    (entry,) = calls(memory)
    assert entry.trace_id == trace
    assert len(entry.span_id) == 16


@pytest.mark.parametrize(("subject", "principal"), [("alice", "alice"), (None, "client-7")])
async def test_the_principal_is_the_subject_of_the_access_token(
    server: RecordingMCPServer, memory: MemoryDestination, subject: str | None, principal: str
) -> None:
    """It is the client's id if the token has no subject; the token itself is not recorded."""
    token = AccessToken(token="hunter2", client_id="client-7", scopes=[], subject=subject)
    auth_context_var.set(AuthenticatedUser(token))
    async with Client(server) as client:
        await client.call_tool("say", {"text": "a"})
    assert [entry.principal for entry in calls(memory)] == [principal]
    assert "hunter2" not in str([entry.to_dict() for entry in memory.entries])


async def test_names_chosen_by_the_client_are_bounded(server: RecordingMCPServer, memory: MemoryDestination) -> None:
    """Long names of clients, versions and tools cannot fill the log, and secrets in them are redacted."""
    info = Implementation(name="n" * 10_000, version="password=hunter2")
    async with Client(server, client_info=info) as client:
        await client.call_tool("t" * 10_000, {})
    (entry,) = calls(memory)
    assert len(entry.client_name) < 200
    assert len(entry.tool_name) < 200
    assert len(entry.error_message) < 11_000
    assert "hunter2" not in entry.client_version
