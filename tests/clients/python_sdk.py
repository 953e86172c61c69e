"""The Python SDK's client: one session with a server, and all that it was told in it."""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.types import Implementation

from tests.support.project import FIXTURES, Project
from tests.support.serving import Served, calls, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from mcp.types import RequestParamsMeta
    from pydantic import BaseModel

Mode = Literal["auto", "legacy"]

CLIENT = Implementation(name="tests of the template", version="7.0")
PATIENCE = 30.0
"""Seconds anything may take before the test fails."""
TEXT = "zwölf {braces} 日本 😀\n\t'\"\\ %s ${HOME}"
SECRET = "hunter2"
TEXTS = ["one", "one two", ""]
TOOLS = ["crash", "login", "echo", "wait", "count_words", "temperature", "reverse_all"]
"""The tools of the default project and of `fixtures/crash.py`, in their order."""


@dataclass(frozen=True)
class Call:
    """One tool call of the session; `name` is its correlation id, `status` what is to be recorded."""

    name: str
    tool: str
    arguments: Mapping[str, Any]
    status: str = "success"
    progress: int = 0


SESSION = [
    Call("echoed", "echo", {"text": TEXT}),
    Call("counted", "count_words", {"texts": TEXTS}, progress=len(TEXTS)),
    Call("reversed", "reverse_all", {"texts": ["abc", "", "xyz"]}, progress=3),
    Call("refused", "temperature", {"city": "Atlantis"}, "error"),
    Call("crashed", "crash", {}, "error"),
    Call("unknown", "no_such_tool", {"text": "x"}, "unknown_tool"),
    Call("without its argument", "echo", {}, "validation_error"),
    Call("with a wrong argument", "wait", {"seconds": "soon"}, "validation_error"),
    Call("with a wrong secret", "login", {"password": SECRET}, "validation_error"),
]


@asynccontextmanager
async def stdio(
    command: Sequence[str], environment: dict[str, str], cwd: Path, mode: Mode = "auto"
) -> AsyncIterator[Client]:
    """Start a server and begin a session over stdio; what it says goes to `stderr.txt` in its folder."""
    server = StdioServerParameters(command=command[0], args=list(command[1:]), env=environment, cwd=cwd)
    with (cwd / "stderr.txt").open("a", encoding="utf-8") as stderr:
        transport = stdio_client(server, errlog=stderr)
        async with Client(transport, mode=mode, client_info=CLIENT, read_timeout_seconds=PATIENCE) as client:
            yield client


@asynccontextmanager
async def http(served: Served, mode: Mode = "auto") -> AsyncIterator[Client]:
    """Begin a session over HTTP."""
    server = sse_client(served.url) if served.url.endswith("/sse") else served.url
    async with Client(server, mode=mode, client_info=CLIENT, read_timeout_seconds=PATIENCE) as client:
        yield client


@dataclass(frozen=True)
class Conversation:
    """One session with a server, kept in a folder: what the client was told, and what the server recorded."""

    folder: Path

    @property
    def told(self) -> dict[str, Any]:
        """Return what the server told the client."""
        told: dict[str, Any] = json.loads((self.folder / "told.json").read_text(encoding="utf-8"))
        return told

    @property
    def recorded(self) -> dict[str, dict[str, Any]]:
        """Return the recorded calls by correlation id."""
        recorded = calls(self.folder)
        by_id = {call["correlation_id"]: call for call in recorded}
        assert len(by_id) == len(recorded)
        return by_id


def have_conversation(folder: Path, *, project: Project, transport: str, mode: Mode, bare: bool) -> None:
    """Have one session with a server of the baked project, or with the same tools on a bare MCPServer."""
    command = [project.python, os.fspath(FIXTURES / "bare.py")] if bare else [project.command]

    async def over_stdio() -> dict[str, Any]:
        async with stdio(command, project.environment(folder), folder, mode) as client:
            return await _converse(client)

    async def over_http(served: Served) -> dict[str, Any]:
        async with http(served, mode) as client:
            return await _converse(client)

    if transport == "stdio":
        told = anyio.run(over_stdio)
    else:
        with serving(project, folder, transport=transport, command=command) as served:
            told = anyio.run(over_http, served)
    (folder / "told.json").write_text(json.dumps(told), encoding="utf-8")


async def _converse(client: Client) -> dict[str, Any]:
    """Ask for the tools, make all calls of `SESSION`, and return what the server answered."""
    return {
        "protocol_version": client.protocol_version,
        "server": client.server_info and _plain(client.server_info),
        "capabilities": _plain(client.server_capabilities),
        "tools": _plain(await client.list_tools())["tools"],
        "answers": {call.name: await _answer(client, call) for call in SESSION},
    }


async def _answer(client: Client, call: Call) -> dict[str, Any]:
    notes: list[list[object]] = []
    has_all = anyio.Event()

    async def note(progress: float, total: float | None, message: str | None) -> None:
        notes.append([progress, total, message])
        if len(notes) == call.progress:
            has_all.set()

    try:
        result = await client.call_tool(call.tool, dict(call.arguments), progress_callback=note, meta=_meta(call.name))
    except MCPError as error:
        return {"raised": _plain(error.error)}
    if call.progress:  # which is handled by another task of the client than the result
        with anyio.fail_after(PATIENCE):
            await has_all.wait()
    return {"result": _plain(result), "progress": notes}


async def echo(client: Client, text: str = "hello") -> str:
    """Call `echo` and return what it returns."""
    result = await client.call_tool("echo", {"text": text}, meta=_meta("the-test's-own"))
    assert result.structured_content is not None
    answer: str = result.structured_content["result"]
    return answer


async def echo_over_stdio(command: Sequence[str | Path], environment: dict[str, str], cwd: Path) -> str:
    """Start a server over stdio, call `echo` once, and end the session."""
    async with stdio([os.fspath(part) for part in command], environment, cwd) as client:
        return await echo(client)


def _meta(correlation_id: str) -> RequestParamsMeta:
    return cast("RequestParamsMeta", {"correlation_id": correlation_id})  # an open map, which mypy does not know yet


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True)
