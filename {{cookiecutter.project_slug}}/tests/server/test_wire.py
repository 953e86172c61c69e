"""The connection over stdio: pipes, sockets and files."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from helpers import PATIENCE, eventually
from mcp import Client

from {{cookiecutter.project_slug}}.server import wire

from .server_helpers import HELLO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .server_helpers import Entries

REQUESTS = "".join(
    json.dumps({"jsonrpc": "2.0", **message}) + "\n"
    for message in (
        {"id": 1, "method": "initialize", "params": HELLO},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/call", "params": {"name": "say", "arguments": {"text": "café"}}},
    )
)

THREADS = 40
"""As many as anyio runs at once."""


def answers(text: str) -> dict[int, Any]:
    """Return the results in what a server has written, by the ids of the requests."""
    return {message["id"]: message["result"] for message in map(json.loads, text.splitlines()) if "id" in message}


def test_a_server_reads_a_file_and_writes_to_one(
    own_logging: Entries, serve_arguments: list[str], tmp_path: Path
) -> None:
    """`server < requests > answers`: an event loop cannot wait for files, so the SDK's threads do."""
    asked, answered = tmp_path / "requests", tmp_path / "answers"
    asked.write_text(REQUESTS, encoding="utf-8")
    with asked.open() as source, answered.open("w") as target:
        subprocess.run([sys.executable, *serve_arguments], stdin=source, stdout=target, check=True, timeout=PATIENCE)
    assert answers(answered.read_text(encoding="utf-8"))[1]["serverInfo"]["name"]
    assert "say" in {entry["tool_name"] for entry in own_logging()}  # the SDK answers no call after the end of stdin


def test_a_request_just_before_the_end_is_answered(own_logging: Entries, serve_arguments: list[str]) -> None:
    """As people try a server out: `printf '...' | server`."""
    ping = json.dumps({"jsonrpc": "2.0", "id": 3, "method": "ping"})
    asked = f"{REQUESTS.splitlines()[0]}\n{ping}\n"
    command = [sys.executable, *serve_arguments]
    done = subprocess.run(command, input=asked, stdout=subprocess.PIPE, text=True, check=True, timeout=PATIENCE)
    assert answers(done.stdout).keys() == {1, 3}


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs sockets of Unix")
def test_a_server_speaks_over_sockets(own_logging: Entries, serve_arguments: list[str]) -> None:
    """As Node.js starts its children."""
    ours, theirs = socket.socketpair()
    with subprocess.Popen([sys.executable, *serve_arguments], stdin=theirs, stdout=theirs) as process, ours:
        theirs.close()
        ours.settimeout(PATIENCE)
        ours.sendall(REQUESTS.encode())
        received = b""
        while received.count(b"\n") < 2:
            received += (part := ours.recv(65_536))
            assert part, "the server has ended"
        assert answers(received.decode())[2]["content"][0]["text"] == "café"
        ours.shutdown(socket.SHUT_WR)
        assert process.wait(PATIENCE) == 0


@pytest.mark.skipif("sys.platform == 'win32'", reason="an event loop of Windows cannot wait for pipes")
async def test_a_server_whose_threads_are_all_busy_still_answers(
    over_stdio: Callable[..., Any], serve_arguments: list[str], tmp_path: Path
) -> None:
    """No message needs one of the threads that sync tools run on."""
    path = tmp_path / "go"
    async with Client(over_stdio(serve_arguments)) as client, asyncio.TaskGroup() as group:
        for _ in range(THREADS + 1):
            group.create_task(client.call_tool("wait_for_file", {"path": str(path)}))
        await eventually(lambda: len(list(tmp_path.glob("go.*"))) == THREADS)
        await asyncio.wait_for(client.list_tools(), PATIENCE)
        path.touch()


async def test_an_sdk_without_its_server_serves_over_standard_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A later version of the SDK may rename the attribute that `Wire` uses."""
    monkeypatch.setattr(wire, "after_fork_in_child", lambda _: None)  # it could not be undone

    class Server:
        async def run_stdio_async(self) -> None:
            self.streams = [stream.fileno() for stream in (sys.stdin, sys.stdout)]

    standard, server = (sys.stdin, sys.stdout), Server()
    source, target = os.pipe()
    try:
        await asyncio.wait_for(wire.Wire(source, target).serve(server), PATIENCE)  # type: ignore[arg-type]
    finally:
        os.close(source)
        os.close(target)
    assert server.streams == [source, target]
    assert (sys.stdin, sys.stdout) == standard
