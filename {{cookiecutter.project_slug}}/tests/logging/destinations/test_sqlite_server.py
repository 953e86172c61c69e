"""The main path: a client calls a server, and whoever looks finds the calls in the file."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from {{cookiecutter.project_slug}}.cli import main

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure a file, in a folder that is not there yet."""
    path = tmp_path / "data" / "logs.db"
    monkeypatch.setenv("SQLITE_PATH", str(path))
    return path


async def test_every_call_of_a_server_is_in_the_file_and_can_be_listed(
    path: Path, serve_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The main path: a client calls, leaves, and `logs` shows the calls."""
    server = StdioServerParameters(command=sys.executable, args=serve_arguments, env=dict(os.environ))
    with (tmp_path / "stderr").open("w") as stderr:
        async with Client(stdio_client(server, errlog=stderr)) as client:
            for number in range(300):
                await client.call_tool("say", {"text": str(number)}, meta={"correlation_id": f"c-{number}"})
    expected = [(f"c-{number}", json.dumps({"text": str(number)}, separators=(",", ":"))) for number in range(300)]
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT correlation_id, input_args FROM unified_logs WHERE log_type = 'tool_execution' ORDER BY id"
        assert connection.execute(query).fetchall() == expected
    assert await asyncio.to_thread(main, ["logs", "--tool", "say", "--limit", "2", "--json"]) == 0
    shown = [json.loads(line)["input_args"] for line in capsys.readouterr().out.splitlines()]
    assert shown == [{"text": "299"}, {"text": "298"}]


def test_looking_at_no_file_makes_none(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`logs` before the first entry shows an empty table; `doctor` makes the file and reads its probe back."""
    assert main(["logs"]) == main(["logs", "stats"]) == 0
    assert not path.parent.exists()
    assert main(["doctor"]) == 0
    assert "sqlite: written 1, retried 0, dropped 0, failed 0, queued 0 (read back)" in capsys.readouterr().out
