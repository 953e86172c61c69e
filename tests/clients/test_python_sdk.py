"""The Python SDK's client, over every transport, in both protocol eras."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from tests.support.serving import entries

from .python_sdk import CLIENT, SECRET, SESSION, TEXT, TOOLS, Mode

if TYPE_CHECKING:
    from .conftest import Converse
    from .python_sdk import Conversation

TRANSPORTS = ["stdio", "streamable-http", "sse"]
MODES: list[Mode] = ["auto", "legacy"]


@pytest.fixture(name="had", params=[(transport, mode) for transport in TRANSPORTS for mode in MODES], ids="-".join)
def conversation_had(request: pytest.FixtureRequest, conversation: Converse) -> tuple[Conversation, Conversation]:
    """One conversation with the baked server, and the same with a bare MCPServer."""
    transport, mode = request.param
    return conversation(transport, mode), conversation(transport, mode, bare=True)


Had = tuple["Conversation", "Conversation"]


def test_the_client_gets_the_protocol_era_it_asked_for(had: Had, request: pytest.FixtureRequest) -> None:
    """`auto` finds the modern protocol on every transport, `legacy` shakes hands."""
    _, mode = request.node.callspec.params["had"]
    assert (had[0].told["protocol_version"] in MODERN_PROTOCOL_VERSIONS) == (mode == "auto")


def test_the_client_finds_every_tool(had: Had) -> None:
    """The list holds the example tools, and the one that was put beside them."""
    assert [tool["name"] for tool in had[0].told["tools"]] == TOOLS


def test_echo_returns_its_text_unchanged(had: Had) -> None:
    """Text comes back as it was sent, whatever it holds."""
    assert had[0].told["answers"]["echoed"]["result"]["structuredContent"] == {"result": TEXT}


def test_progress_reaches_the_client(had: Had) -> None:
    """count_words tells how far it is after each text, before its result."""
    answer = had[0].told["answers"]["counted"]
    assert answer["result"]["structuredContent"] == {"result": [1, 2, 0]}
    assert answer["progress"] == [[number, 3, f"{number} of 3 texts"] for number in (1, 2, 3)]


def test_a_parallel_tool_has_a_result_or_an_error_for_each_item(had: Had) -> None:
    """reverse_all returns the items in their order; one that fails does not harm the others."""
    answer = had[0].told["answers"]["reversed"]
    results = answer["result"]["structuredContent"]["result"]
    assert [item["result"] for item in results] == ["cba", None, "zyx"]
    assert [item["error"] for item in results] == [None, "an empty text cannot be reversed", None]
    assert len(answer["progress"]) == 3


def test_a_failing_tool_is_an_error_for_the_client(had: Had) -> None:
    """The text of a ToolError reaches the client, that of any other exception does not."""
    answers = had[0].told["answers"]
    assert all(answers[name]["result"]["isError"] for name in ("refused", "crashed"))
    assert "No temperature for 'Atlantis'" in json.dumps(answers["refused"])
    assert "an internal detail" not in json.dumps(answers["crashed"])


def test_clients_see_what_a_bare_mcpserver_shows_them(had: Had) -> None:
    """Server, capabilities, tools, results, progress and the text of every error are the same with logging."""
    recorded, bare = had
    assert recorded.told == bare.told


def test_every_call_is_recorded_once_under_the_clients_correlation_id(had: Had) -> None:
    """One row per call, in their order, each under the id that the client put into `_meta`."""
    assert list(had[0].recorded) == [call.name for call in SESSION]


def test_a_call_is_recorded_with_how_it_ended(had: Had) -> None:
    """The status tells success, error, unknown tool and invalid arguments apart."""
    assert {name: call["status"] for name, call in had[0].recorded.items()} == {
        call.name: call.status for call in SESSION
    }


def test_a_call_is_recorded_with_what_the_client_asked_for(had: Had) -> None:
    """Name and arguments are the client's own, also where no such tool exists or they are not valid."""
    assert [(call["tool_name"], call["input_args"]) for call in had[0].recorded.values()] == [
        (call.tool, call.arguments if call.tool != "login" else {"password": "[redacted]"}) for call in SESSION
    ]


def test_a_secret_argument_is_shown_nowhere(had: Had) -> None:
    """Neither a row nor stderr holds it, although what is wrong with the argument is told."""
    folder = had[0].folder
    (stderr,) = (folder / name for name in ("stderr.txt", "server.log") if (folder / name).exists())
    shown = stderr.read_text(encoding="utf-8") + json.dumps(entries(folder))
    assert "Input should be a valid integer" in shown
    assert SECRET not in shown


def test_a_crash_is_recorded_with_the_error_that_the_client_does_not_see(had: Had) -> None:
    """The row holds the real exception."""
    crashed = had[0].recorded["crashed"]
    assert (crashed["error_type"], crashed["error_message"]) == ("RuntimeError", "an internal detail")


def test_a_call_is_recorded_with_who_called_and_how(had: Had, request: pytest.FixtureRequest) -> None:
    """Client, protocol version and transport are those of the session."""
    transport, _ = request.node.callspec.params["had"]
    told = had[0].told
    keys = ("client_name", "client_version", "protocol_version", "transport", "server_name")
    expected = (CLIENT.name, CLIENT.version, told["protocol_version"], transport, told["server"]["name"])
    assert {tuple(call[key] for key in keys) for call in had[0].recorded.values()} == {expected}
