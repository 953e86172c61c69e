"""However a session over stdio ends, all its calls are recorded, and the server is gone soon."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.protocol import INITIALIZE
from tests.support.serving import calls

from .python_sdk import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

NUMBER = 2_000
IDS = [f"call {number}" for number in range(NUMBER)]


@dataclass(frozen=True)
class Ended:
    """How a server ended: its exit code, the seconds it took, and the texts it had answered with by correlation id."""

    code: int
    seconds: float
    answers: dict[str, str]


def test_all_calls_are_recorded_after_the_end_of_stdin(project: Project, tmp_path: Path) -> None:
    """The client closes stdin after its last answer: 2,000 rows, exit code 0, within 2 s."""
    _is_complete(asyncio.run(_session(project, tmp_path, None)), tmp_path, code=0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_calls_are_recorded_after_a_signal(project: Project, tmp_path: Path, number: signal.Signals) -> None:
    """A signal comes right after the last answer, stdin stays open: 2,000 rows, 128 + its number, within 2 s."""
    _is_complete(asyncio.run(_session(project, tmp_path, number)), tmp_path, code=128 + number)


def _is_complete(ended: Ended, folder: Path, *, code: int) -> None:
    assert ended.answers == {name: f"text of {name}" for name in IDS}
    recorded = calls(folder)
    assert sorted(call["correlation_id"] for call in recorded) == sorted(IDS)
    assert all(call["input_args"] == {"text": f"text of {call['correlation_id']}"} for call in recorded)
    assert {call["status"] for call in recorded} == {"success"}
    assert ended.code == code
    assert ended.seconds < 2


async def _session(project: Project, folder: Path, how: signal.Signals | None) -> Ended:
    """Make all calls without waiting for answers in between, then end the server by a signal or the end of stdin."""
    with (folder / "stderr.txt").open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            project.command,
            cwd=folder,
            env=project.environment(folder),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )
    assert process.stdin is not None
    try:
        async with asyncio.timeout(PATIENCE * 2):
            answers, _ = await asyncio.gather(_read(process), _write(process))
            begin = time.monotonic()
            if how is None:
                process.stdin.close()
            else:
                process.send_signal(how)
            code = await process.wait()
            return Ended(code, time.monotonic() - begin, answers)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _write(process: asyncio.subprocess.Process) -> None:
    await _send(process, "initialize", "initialize", INITIALIZE)
    await _send(process, None, "notifications/initialized")
    for name in IDS:
        params = {"name": "echo", "arguments": {"text": f"text of {name}"}, "_meta": {"correlation_id": name}}
        await _send(process, name, "tools/call", params)


async def _send(
    process: asyncio.subprocess.Process, request_id: str | None, method: str, params: dict[str, Any] | None = None
) -> None:
    message = {"jsonrpc": "2.0", "method": method, "params": params or {}}
    assert process.stdin is not None
    process.stdin.write(json.dumps(message | ({"id": request_id} if request_id else {})).encode() + b"\n")
    await process.stdin.drain()


async def _read(process: asyncio.subprocess.Process) -> dict[str, str]:
    answers: dict[str, str] = {}
    assert process.stdout is not None
    while len(answers) < NUMBER:
        message = json.loads(await process.stdout.readline())
        if message["id"] != "initialize":
            answers[message["id"]] = message["result"]["structuredContent"]["result"]
    return answers
