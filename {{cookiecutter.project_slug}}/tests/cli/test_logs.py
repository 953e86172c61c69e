"""`logs`: list, follow and summarise recorded entries."""

from __future__ import annotations

import json
import signal
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import JsonLinesDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES

from .cli_helpers import ENTRIES, NOW, ago

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    RunJson = Callable[..., list[dict[str, Any]]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [0, 1, 2, 3]),
        (["--tool", "add"], [0, 1]),
        (["--level", "warning"], [1, 3]),
        (["--type", "framework"], [3]),
        (["--status", "error"], [1]),
        (["--correlation-id", "c-1"], [0, 2, 3]),
        (["--text", "100%"], [1]),
        (["--text", "_"], []),
        (["--limit", "2"], [0, 1]),
        (["--limit", "2", "--offset", "1"], [1, 2]),
        (["--since", "2h"], [0]),
        (["--since", "5d", "--until", "2h"], [1, 2]),
        (["--since", ago(hours=4).isoformat(), "--until", ago(minutes=5).isoformat()], [1]),
        (["--tool", "add", "--status", "success", "--since", "1d"], [0]),
    ],
)
def test_logs_lists_matching_entries_newest_first(run_json: RunJson, arguments: list[str], expected: list[int]) -> None:
    """Each line is a JSON object with the fields of an entry."""
    lines = run_json("logs", *arguments)
    assert [line["entry_id"] for line in lines] == [ENTRIES[index].entry_id for index in expected]
    assert all(tuple(line) == FIELD_NAMES for line in lines)


def test_stats_counts_the_calls_of_each_tool(run_json: RunJson, recorded: Callable[..., None]) -> None:
    """Filters apply; log lines do not count; a call that needs input is not an error."""
    assert run_json("logs", "stats") == [{"tool": "add", "calls": 2, "errors": 1, "p50_ms": 20.0, "p95_ms": 29.0}]
    assert run_json("logs", "stats", "--since", "2h")[0]["calls"] == 1
    recorded(make_entry("b", tool_name="b", log_type="tool_execution", status="input_required", duration_ms=5.0))
    assert [(row["tool"], row["errors"], row["p95_ms"]) for row in run_json("logs", "stats")][1] == ("b", 0, 5.0)


def test_stats_counts_more_calls_than_a_query_returns(run_json: RunJson, recorded: Callable[..., None]) -> None:
    """It reads all pages."""
    fields = {"tool_name": "many", "log_type": "tool_execution", "status": "success", "duration_ms": 1.0}
    recorded(*[make_entry(timestamp=ago(seconds=number / 100), **fields) for number in range(10_500)])
    assert run_json("logs", "stats", "--tool", "many")[0]["calls"] == 10_500


def test_follow_shows_each_new_entry_once_until_ctrl_c(
    recorded: Callable[..., None], start: Callable[..., subprocess.Popen[str]]
) -> None:
    """It begins with the entries recorded so far, oldest first."""
    process = start("-m", PACKAGE, "logs", "--follow", "--json")
    assert [json.loads(process.stdout.readline())["entry_id"] for _ in ENTRIES] == [e.entry_id for e in ENTRIES[::-1]]
    for message in ("new", "newer"):
        recorded(make_entry(message))
        assert json.loads(process.stdout.readline())["message"] == message
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, "", "")


def test_follow_shows_all_new_entries_and_no_old_ones(
    recorded: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Many entries may arrive between two queries or during one, or with an earlier timestamp than others."""
    monkeypatch.setattr(f"{PACKAGE}.cli.logs.POLL_INTERVAL", 0)
    monkeypatch.setattr(f"{PACKAGE}.cli.logs.PAGE", 2)
    monkeypatch.setattr(f"{PACKAGE}.cli.logs.MAX_LIMIT", 9)
    new = [make_entry(str(number), timestamp=NOW + timedelta(seconds=number)) for number in range(50)]
    late = make_entry("late", timestamp=new[39].timestamp - timedelta.resolution)
    arrivals = {3: new[:20], 5: new[20:40], 60: [late], 70: new[40:]}
    query, write, queries = JsonLinesDestination.query, JsonLinesDestination.write_batch, count()

    async def query_while_entries_arrive(self: JsonLinesDestination, **filters: Any) -> list[LogEntry]:
        number = next(queries)
        await write(self, arrivals.get(number, []))
        if number == 100:
            raise KeyboardInterrupt
        return await query(self, **filters)

    monkeypatch.setattr(JsonLinesDestination, "query", query_while_entries_arrive)
    assert main(["logs", "--follow", "--json", "--limit", "1"]) == 130
    shown = [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(shown) == sorted([ENTRIES[0].message, "late", *(entry.message for entry in new)])
