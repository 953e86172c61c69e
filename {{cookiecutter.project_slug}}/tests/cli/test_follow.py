"""`logs --follow`: entries as they arrive."""

from __future__ import annotations

import json
import signal
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import JsonLinesDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

from .cli_helpers import ENTRIES, make_call, make_start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable


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


def follow(monkeypatch: pytest.MonkeyPatch, arrivals: dict[int, list[LogEntry]], *arguments: str, end: int) -> None:
    """Run `logs --follow` while these entries arrive before these queries; interrupt it at the query `end`."""
    monkeypatch.setattr(f"{PACKAGE}.cli.follow.POLL_INTERVAL", 0)
    query, write, queries = JsonLinesDestination.query, JsonLinesDestination.write_batch, count()

    async def query_while_entries_arrive(self: JsonLinesDestination, **filters: Any) -> list[LogEntry]:
        number = next(queries)
        await write(self, arrivals.get(number, []))
        if number == end:
            raise KeyboardInterrupt
        return await query(self, **filters)

    monkeypatch.setattr(JsonLinesDestination, "query", query_while_entries_arrive)
    assert main(["logs", "--follow", *arguments]) == 130


def test_follow_shows_all_new_entries_and_no_old_ones(
    recorded: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Many entries may arrive between two queries or during one, or with an earlier timestamp than others."""
    monkeypatch.setattr(f"{PACKAGE}.cli.arrivals.PAGE", 2)
    monkeypatch.setattr(f"{PACKAGE}.cli.arrivals.MAX_LIMIT", 9)
    now = datetime.now(UTC)
    new = [make_entry(str(number), timestamp=now + timedelta(seconds=number)) for number in range(50)]
    late = make_entry("late", timestamp=new[39].timestamp - timedelta.resolution)
    arrivals = {3: new[:20], 5: new[20:40], 60: [late], 70: new[40:]}
    follow(monkeypatch, arrivals, "--json", "--limit", "1", end=100)
    shown = [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(shown) == sorted([ENTRIES[0].message, "late", *(entry.message for entry in new)])


def test_follow_shows_a_running_call_and_then_its_end(
    own_logging: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below one header, and aligned."""
    call = make_call()
    follow(monkeypatch, {5: [make_start(call)], 15: [call]}, end=30)
    head, *lines = capsys.readouterr().out.splitlines()
    column = head.index("status")
    assert [line[column:].split()[0] for line in lines] == ["started", "success"]


def test_followed_rows_stand_below_the_header_that_came_first(
    own_logging: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is printed before any entry is known, so its columns are wide enough for most."""
    arrivals = [make_call(status=status) for status in ("success", "validation_error")] + [make_entry(level="CRITICAL")]
    follow(monkeypatch, {5 * number: [entry] for number, entry in enumerate(arrivals, start=1)}, end=30)
    head, *lines = capsys.readouterr().out.splitlines()
    assert [line.index("  c-1  ") for line in lines] == [head.index("  correlation_id")] * 3
