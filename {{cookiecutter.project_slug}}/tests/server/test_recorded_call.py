"""The entry of one tool call, for clients of both eras of the protocol."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from fake_destinations import MemoryDestination
from loguru import logger
from mcp import Client, MCPError
from mcp.server.auth.middleware.auth_context import auth_context_var
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import Implementation

from {{cookiecutter.project_slug}}.logging.settings import LogSettings
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger
from {{cookiecutter.project_slug}}.server import recorded_call

from .server_helpers import calls, requests

if TYPE_CHECKING:
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
    "secret": "Bearer abc123",
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
    """The span of a W3C traceparent in `_meta` is the parent of the call's own span."""
    trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    async with client:
        await client.call_tool("say", {"text": "a"}, meta={"traceparent": f"00-{trace}-{span}-01"})
    (entry,) = calls(memory)
    assert (entry.trace_id, entry.parent_span_id) == (trace, span)
    assert entry.span_id == entry.entry_id[-16:]


FAILURES = {
    "crash": ("crash", {}, "RuntimeError", "raise RuntimeError(msg)"),
    "expected": ("refuse", {"city": "Atlantis"}, "mcp.server.mcpserver.exceptions.ToolError", "raise ToolError(msg)"),
}


@pytest.mark.parametrize(("tool", "arguments", "error_type", "line"), FAILURES.values(), ids=FAILURES)
async def test_one_failure_is_one_entry(
    client: Client, memory: MemoryDestination, tool: str, arguments: dict[str, Any], error_type: str, line: str
) -> None:
    """It has everything: tool, arguments, reason, class and traceback; the SDK's line about it is not recorded."""
    async with client:
        await client.call_tool(tool, arguments)
    (entry,) = calls(memory)
    assert (entry.level, entry.status, entry.method, entry.target) == ("ERROR", "error", "tools/call", tool)
    assert (entry.error_type, entry.input_args, entry.client_name) == (error_type, arguments, "tester")
    assert entry.traceback.startswith("Traceback (most recent call last)")
    assert line in entry.traceback
    assert entry.extra_data is None
    assert [other.module for other in memory.entries if (other.module or "").startswith("mcp.server.mcpserver")] == []


@pytest.mark.parametrize("tool", ["nope", "say"])
async def test_a_call_that_never_reached_the_tool_has_no_traceback(
    client: Client, memory: MemoryDestination, tool: str
) -> None:
    """An unknown tool and invalid arguments are the client's mistakes, described by the message; one entry each."""
    async with client:
        await client.call_tool(tool, {"wrong": 1})
    (entry,) = calls(memory)
    assert entry.traceback is None
    assert entry.error_message
    assert not any("rejected arguments" in text or "failed:" in text for text in memory.messages)


async def test_lines_logged_inside_a_call_carry_the_name_of_its_tool(
    server: RecordingMCPServer, memory: MemoryDestination
) -> None:
    """Threads and child tasks too; a nested call has its own name, and lines outside a call have none."""

    async def outer() -> None:
        await server.call_tool("say", {"text": "inner"})
        logger.info("outer again")

    server.add_tool(outer)
    logger.info("outside")
    async with Client(server) as client:
        await client.call_tool("log_everywhere", {"tag": "x"})
        await client.call_tool("outer", {})
    assert UnifiedLogger.flush()
    names = {entry.message: entry.tool_name for entry in memory.entries if entry.log_type == "internal"}
    assert {names[f"x {way}"] for way in ("child", "loguru", "stdlib", "thread")} == {"log_everywhere"}
    assert (names["said inner"], names["outer again"], names["outside"]) == ("say", "outer", None)


async def test_sizes_are_those_of_the_whole_json(client: Client, memory: MemoryDestination) -> None:
    """They are bytes of compact UTF-8, before anything is truncated."""
    arguments = {"text": "\u00e9" * 100_000}
    async with client:
        result = await client.call_tool("say", arguments)
        await client.call_tool("nope", {})
    whole, failed = calls(memory)
    assert whole.input_size == len(json.dumps(arguments, ensure_ascii=False, separators=(",", ":")).encode())
    sent = result.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"meta"})
    assert whole.output_size == len(json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode())
    assert (failed.input_size, failed.output_size) == (2, None)


class Requests(NamedTuple):
    """A request for a resource or a prompt, and what its entry says."""

    method: str
    target: str
    arguments: dict[str, str] | None
    status: str
    error_type: str | None


NOT_FOUND = "mcp.server.mcpserver.exceptions.ResourceNotFoundError"
READS = (
    Requests("resources/read", "manual://tea", None, "success", None),
    Requests("resources/read", "manual://broken", None, "error", "LookupError"),
    Requests("prompts/get", "greet", {"name": "Ada"}, "success", None),
    Requests("prompts/get", "greet", {"name": "nobody"}, "error", "LookupError"),
    Requests("resources/read", "unknown://tea", None, "unknown_target", NOT_FOUND),
    Requests("prompts/get", "nope", {}, "unknown_target", "ValueError"),
    Requests("prompts/get", "greet", {}, "validation_error", "ValueError"),
)


@pytest.mark.parametrize("wanted", READS)
async def test_resources_and_prompts_are_recorded_as_calls_are(
    client: Client, memory: MemoryDestination, wanted: Requests
) -> None:
    """One entry of type `framework` each, with target, arguments, outcome, duration, sizes and client."""
    async with client:
        with suppress(MCPError):
            await request_of(client, wanted)
    (entry,) = requests(memory)
    assert (entry.log_type, entry.tool_name) == ("framework", None)
    assert (entry.method, entry.target, entry.input_args, entry.status, entry.error_type) == wanted
    assert entry.duration_ms > 0
    assert (entry.client_name, entry.level) == ("tester", recorded_call.LEVEL_OF[wanted.status])
    assert (entry.traceback is None) == (wanted.status != "error")
    assert (entry.output_size is None) == (wanted.status != "success")
    assert not any("raised" in text for text in memory.messages)


async def request_of(client: Client, wanted: Requests) -> None:
    """Send the request."""
    if wanted.method == "resources/read":
        await client.read_resource(wanted.target)
    else:
        await client.get_prompt(wanted.target, wanted.arguments)


async def test_the_message_of_an_expected_error_is_the_tool_s_own(
    server: RecordingMCPServer, memory: MemoryDestination
) -> None:
    """Also if the tool raised it from another exception, which the traceback shows."""

    def find(city: str) -> None:
        try:
            {}[city]
        except KeyError as error:
            msg = f"City not found: {city}"
            raise ToolError(msg) from error

    server.add_tool(find)
    async with Client(server) as client:
        await client.call_tool("find", {"city": "Atlantis"})
    (entry,) = calls(memory)
    assert entry.error_message == "City not found: Atlantis"
    assert "KeyError: 'Atlantis'" in entry.traceback


async def test_only_the_chosen_methods_are_recorded(server: RecordingMCPServer) -> None:
    """LOG_METHODS chooses among resources and prompts; tool calls are always recorded."""
    memory = MemoryDestination()
    UnifiedLogger.initialize(memory, settings=LogSettings(log_methods=["prompts/get"]))
    async with Client(server) as client:
        await client.call_tool("say", {"text": "a"})
        await client.read_resource("manual://tea")
        await client.get_prompt("greet", {"name": "Ada"})
        with suppress(MCPError):
            await client.read_resource("manual://broken")
    assert [entry.method for entry in requests(memory)] == ["tools/call", "prompts/get"]
    assert any("raised an unexpected exception" in text for text in memory.messages), "no entry says it otherwise"


CONTENT = "Reykjavik-1234"


async def test_contents_stay_out_of_the_entry_if_that_is_asked_for(server: RecordingMCPServer) -> None:
    """LOG_ARGUMENTS and LOG_RESULTS keep arguments and results out, in errors too; sizes and outcomes stay."""
    memory = MemoryDestination()
    UnifiedLogger.initialize(memory, settings=LogSettings(log_arguments=False, log_results=False, log_level="WARNING"))
    async with Client(server) as client:
        await client.call_tool("refuse", {"city": CONTENT})
        await client.call_tool("crash", {"secret": CONTENT})
        await client.call_tool("say", {"txt": CONTENT})
        await client.call_tool("say", {"text": CONTENT})
        await client.call_tool("return_an_error", {})
        await client.call_tool("break_the_schema", {})
        await client.get_prompt("greet", {"name": CONTENT})
    assert CONTENT not in str([entry.to_dict() for entry in memory.entries])
    recorded_text = str([entry.to_dict() for entry in memory.entries])
    assert ("returned error" in recorded_text, "not a number'" in recorded_text) == (False, False)
    recorded = requests(memory)
    assert [entry.status for entry in recorded] == [
        "error", "error", "validation_error", "success", "error", "error", "success"
    ]  # fmt: skip
    assert recorded[0].error_message == "no weather in [argument]"
    assert all(entry.input_size for entry in recorded)


async def test_the_start_of_a_call_is_recorded_if_that_is_asked_for(server: RecordingMCPServer) -> None:
    """LOG_CALL_STARTS adds an entry that names the one to come, so that a call that never ends leaves a trace."""
    memory = MemoryDestination()
    UnifiedLogger.initialize(memory, settings=LogSettings(log_call_starts=True))
    async with Client(server) as client:
        await client.call_tool("say", {"text": "a"}, meta={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})
    started, ended = requests(memory)
    assert (started.log_type, started.status, started.tool_name) == ("framework", "started", "say")
    assert started.input_args == {"text": "a"}
    assert started.extra_data == {"call_entry_id": ended.entry_id}
    assert started.timestamp == ended.timestamp
    assert started.span_id == ended.span_id == ended.entry_id[-16:]


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
