"""The command: what it lists, follows, sums up and checks; entries come from a destination of the user's own."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock

import pytest
from testkit import OWN, ForgetfulDestination, JsonLinesDestination, make_entry

from {{cookiecutter.project_slug}} import __version__
from {{cookiecutter.project_slug}}.choices import COMMAND, LOCAL
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.options import moment
from {{cookiecutter.project_slug}}.config import ServerConfig, destination_of
from {{cookiecutter.project_slug}}.logging.destinations.base import FIELD_NAMES, PACKAGE, LogEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

NOW = datetime.now(UTC).replace(microsecond=0)


def ago(**age: float) -> datetime:
    """Return a time in the past."""
    return NOW - timedelta(**age)


ENTRIES = [
    make_entry("add: success", correlation_id="c-1", tool_name="add", status="success", duration_ms=10.0,
               log_type="tool_execution", timestamp=ago(minutes=1)),
    make_entry("add: error", correlation_id="c-2", tool_name="add", status="error", duration_ms=30.0, level="ERROR",
               log_type="tool_execution", timestamp=ago(hours=3), error_message="100% wrong"),
    make_entry("starting", level="DEBUG", timestamp=ago(days=2), correlation_id="c-1"),
    make_entry("from\na library\x1b[2J", level="WARNING", log_type="framework", timestamp=ago(days=9)),
]  # fmt: skip


@pytest.fixture
def recorded(own_logging: Callable[[], Any], tmp_path: Path) -> Callable[[LogEntry], None]:
    """Write down what was recorded, and return what records more."""
    destination = JsonLinesDestination(tmp_path / "entries.jsonl")

    def record(*entries: LogEntry) -> None:
        asyncio.run(destination.write_batch(entries))

    record(*ENTRIES)
    return record


@pytest.fixture
def shown(recorded: object, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, Any]]]:
    """Return what runs the command with `--json` and gives the objects it printed."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        assert main([*arguments, "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [0, 1, 2, 3]),
        (["--tool", "add"], [0, 1]),
        (["--level", "warning"], [1, 3]),
        (["--type", "framework"], [3]),
        (["--status", "error"], [1]),
        (["--correlation-id", "c-1"], [0, 2, 3]),
        (["--since", "2h"], [0]),
        (["--since", "5d", "--until", "2h"], [1, 2]),
        (["--since", ago(hours=4).isoformat(), "--until", ago(minutes=5).isoformat()], [1]),
        (["--text", "100%"], [1]),
        (["--text", "_"], []),
        (["--limit", "2"], [0, 1]),
        (["--limit", "2", "--offset", "1"], [1, 2]),
        (["--tool", "add", "--status", "success", "--since", "1d"], [0]),
    ],
)
def test_logs_lists_what_matches_newest_first(
    shown: Callable[..., list[dict[str, Any]]], arguments: list[str], expected: list[int]
) -> None:
    """One JSON object a line, its keys the fields of an entry."""
    lines = shown("logs", *arguments)
    assert [line["entry_id"] for line in lines] == [ENTRIES[index].entry_id for index in expected]
    assert all(tuple(line) == FIELD_NAMES for line in lines)


def test_logs_shows_a_table_that_nothing_in_it_can_break(
    recorded: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head, one line an entry, the error beside its message, control characters shown and not obeyed."""
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["logs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0].split() == ["time", "level", "correlation_id", "tool", "status", "ms", "message"]
    assert lines[2].endswith("add: error (100% wrong)")
    assert lines[4].endswith("from\\na library\\x1b[2J")


def test_logs_stats_sums_up_each_tool(shown: Callable[..., list[dict[str, Any]]], recorded: Any) -> None:
    """Calls, errors and percentiles; other lines do not count; filters apply."""
    assert shown("logs", "stats") == [{"tool": "add", "calls": 2, "errors": 1, "p50_ms": 20.0, "p95_ms": 29.0}]
    assert shown("logs", "stats", "--since", "2h")[0]["calls"] == 1
    recorded(make_entry("b", tool_name="b", log_type="tool_execution", status="input_required", duration_ms=5.0))
    assert [(row["tool"], row["errors"], row["p95_ms"]) for row in shown("logs", "stats")][1] == ("b", 0, 5.0)


def test_logs_stats_counts_beyond_one_page(shown: Callable[..., list[dict[str, Any]]], recorded: Any) -> None:
    """No limit hides calls from the sum."""
    call = {"tool_name": "many", "log_type": "tool_execution", "status": "success", "duration_ms": 1.0}
    recorded(*[make_entry(timestamp=ago(seconds=number / 100), **call) for number in range(10_500)])
    assert [row["calls"] for row in shown("logs", "stats") if row["tool"] == "many"] == [10_500]


def test_logs_follow_shows_new_entries_once_until_it_is_stopped(recorded: Any, start: Callable[..., Any]) -> None:
    """First those that are there, oldest first, then each new one; Ctrl-C ends it quietly."""
    process = start("-m", PACKAGE, "logs", "--follow", "--json")
    assert [json.loads(process.stdout.readline())["entry_id"] for _ in ENTRIES] == [e.entry_id for e in ENTRIES[::-1]]
    for message in ("new", "newer"):
        recorded(make_entry(message))
        assert json.loads(process.stdout.readline())["message"] == message
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize("looks", [0, 5])
def test_a_driver_that_fails_is_one_sentence(
    looks: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1, the destination is closed; as long as nothing was found, the head was shown only once."""
    query, close = AsyncMock(side_effect=[*[[]] * looks, OSError("gone")]), AsyncMock()
    monkeypatch.setattr(ForgetfulDestination, "query", query)
    monkeypatch.setattr(ForgetfulDestination, "close", close)
    monkeypatch.setattr(f"{PACKAGE}.cli.logs.POLL", 0)
    assert main(["logs", "--follow", "--from", "testkit:ForgetfulDestination"]) == 1
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (min(looks, 1), "forgetful cannot be read: gone\n")
    assert close.await_count == 1


@pytest.mark.parametrize("arguments", [["logs"], ["logs", "--json"], ["logs", "stats"], ["doctor"]])
def test_a_reader_that_has_gone_ends_the_command_quietly(
    recorded: object, start: Callable[..., Any], arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `logs | head` does, with the exit code that shells show for SIGPIPE."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    reader, writer = os.pipe()
    os.close(reader)
    process = start("-m", PACKAGE, *arguments, stdout=writer)
    os.close(writer)
    assert (process.communicate(timeout=20)[1], process.returncode) == ("", 141)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--limit", "0"], "limit is 0; it takes a whole number from 1 to 10000"),
        (["--limit", "1000000"], "limit is 1000000"),
        (["--offset", "-1"], "offset is -1"),
        (["--from", "pigeon"], "'pigeon'; valid are"),
        (["--from", "testkit:WriteOnlyDestination"], "There is nothing to read: custom is write-only"),
    ],
)
def test_logs_says_what_it_cannot_do(recorded: object, capfd: Any, arguments: list[str], said: str) -> None:
    """One sentence, exit code 2."""
    assert main(["logs", *arguments]) == 2
    assert said in capfd.readouterr().err


@pytest.mark.parametrize("argument", [["--since", "yesterday"], ["--status", "fine"], ["--level", "LOUD"], ["frob"]])
def test_options_that_cannot_be_read_end_with_2(argument: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Argparse says what is valid."""
    with pytest.raises(SystemExit, match="2"):
        main(["logs", *argument])
    assert argument[-1] in capsys.readouterr().err


def test_times_are_ages_or_iso_8601() -> None:
    """Ages count from now; a time without a zone is UTC."""
    for text, seconds in (("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800)):
        assert abs((datetime.now(UTC) - moment(text)).total_seconds() - seconds) < 5
    assert moment("2026-01-31T12:00") == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert moment("2026-01-31T12:00:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)


def test_logs_resend_sends_again_what_production_missed(
    own_logging: Callable[[], list[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """From this machine's entries, oldest first, with their ids and times; what is not kept cannot be sent."""
    if not LOCAL:
        assert main(["logs", "resend"]) == 2
        assert "nothing to resend: this project keeps no entries" in capsys.readouterr().err
        return
    entries = [make_entry(str(number), timestamp=ago(minutes=number)) for number in range(2_500)]
    asyncio.run(record_locally(entries))
    assert main(["logs", "resend", "--since", ago(minutes=9).isoformat()]) == 0
    assert [entry["message"] for entry in own_logging()] == [str(number) for number in range(9, -1, -1)]
    capsys.readouterr()
    assert main(["logs", "resend", "--to", OWN]) == 0
    bars = capsys.readouterr().err
    assert f"\r[{'#' * 12}{'.' * 18}] 1000/2500\r" in bars
    assert bars.endswith(f"\r[{'#' * 30}] 2500/2500\n2500 of 2500 entries sent to jsonl\n")
    assert own_logging()[-2_500:] == [entry.to_dict() for entry in entries[::-1]]
    failing = ["--to", "testkit:HangingDestination", "--log-write-timeout-ms", "20", "--log-retry-attempts", "1"]
    assert main(["logs", "resend", *failing]) == 1
    assert "0 of 2500 entries sent" in capsys.readouterr().err


@pytest.mark.skipif(not LOCAL, reason="nothing is kept on this machine")
def test_logs_resend_holds_only_a_part_in_memory(
    own_logging: Callable[[], list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left out where pages end among entries of one moment, nor where others arrive meanwhile."""
    for name in ("logs.MAX_LIMIT", "resend.PAGE"):
        monkeypatch.setattr(f"{PACKAGE}.cli.{name}", 100)
    asyncio.run(record_locally([make_entry(str(n), timestamp=ago(minutes=n // 7)) for n in range(1_000)]))
    write, held = JsonLinesDestination.write_batch, list[int]()

    async def measure(self: JsonLinesDestination, entries: Sequence[LogEntry]) -> None:
        held.append(sum(isinstance(item, LogEntry) for item in gc.get_objects()))
        await write(self, entries)
        await record_locally([make_entry("late", timestamp=ago(minutes=1)) for _ in range(30)])

    monkeypatch.setattr(JsonLinesDestination, "write_batch", measure)
    assert main(["logs", "resend", "--to", OWN]) == 0
    sent = [entry["message"] for entry in own_logging()]
    assert sorted(int(text) for text in sent if text != "late") == list(range(1_000))
    assert max(held) < 500


async def record_locally(entries: list[LogEntry]) -> None:
    """Write entries to the local destination."""
    destination = next(iter(LOCAL.values()))(ServerConfig(log_retention_days=0))
    await destination.write_batch(entries)
    await destination.close()


def test_doctor_finds_what_works(own_logging: Callable[[], list[Any]], capsys: pytest.CaptureFixture[str]) -> None:
    """A probe is written and read back; the exit code is 0, and what is off is named."""
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "ok    configuration: no file, transport stdio" in out
    assert "ok    jsonl: written 1, retried 0, dropped 0, failed 0, queued 0 (read back)" in out
    assert all(f"off   {name}: switched off by ENABLE_LOCAL_LOGGING=false" in out for name in LOCAL)
    assert own_logging()[0]["correlation_id"].startswith("doctor-")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("testkit:HangingDestination", "FAIL  memory: written 0"),
        ("testkit:ForgetfulDestination", "FAIL  forgetful: written 1, retried 0, dropped 0, failed 0, queued 0 (wr"),
        ("pigeon", "FAIL  pigeon: LOG_DESTINATION_TYPE is 'pigeon'"),
        ("nowhere:Class", "FAIL  nowhere:Class: LOG_DESTINATION_TYPE"),
    ],
)
def test_doctor_finds_what_does_not_work(
    own_logging: object, kind: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A destination that hangs, forgets or cannot be built: said, exit code 1, in the time that was configured."""
    monkeypatch.setattr(f"{PACKAGE}.cli.doctor.PATIENCE", 0.2)
    settings = ["--log-write-timeout-ms", "50", "--log-drain-timeout-ms", "50"]
    assert main(["doctor", "--log-destination-type", kind, *settings]) == 1
    assert said in capsys.readouterr().out


def test_doctor_takes_write_only_destinations_and_none_at_all(
    own_logging: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read back is said to be so; without destinations stderr is the only place."""
    assert main(["doctor", "--log-destination-type", "testkit:WriteOnlyDestination"]) == 0
    assert "(write-only: not read back)" in capsys.readouterr().out
    assert main(["doctor", "--enable-production-logging", "false"]) == 0
    assert "ok    stderr: the only place entries go to" in capsys.readouterr().out
    assert main(["doctor", "--enable-production-logging", "false", "--enable-local-logging"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name.upper()}=" in out for name in ServerConfig.model_fields if destination_of(name) in LOCAL)


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    """Under the command's own name; `--version` is the package's."""
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    out = capsys.readouterr().out
    assert out.startswith(f"usage: {COMMAND} ")
    assert all(f"    {verb}" in out for verb in ("serve", "logs", "doctor"))
