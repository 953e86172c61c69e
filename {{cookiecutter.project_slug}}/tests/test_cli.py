"""The command: what it lists, follows, sums up and checks; entries come from a destination of the user's own."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock

import pytest
from helpers import OWN, ForgetfulDestination, JsonLinesDestination, make_entry

from {{cookiecutter.project_slug}} import __version__
from {{cookiecutter.project_slug}}.choices import COMMAND
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.options import VERBS, moment
from {{cookiecutter.project_slug}}.config import ServerConfig, destination_of
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL, PRODUCTION
from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES, iso_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
def recorded(record: Callable[..., None]) -> Callable[..., None]:
    """Write down what was recorded, and return what records more."""
    record(*ENTRIES)
    return record


@pytest.fixture
def shown(recorded: object, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, Any]]]:
    """Return what runs the command with `--json` and gives the objects it printed."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        assert main([*arguments, "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


LISTED = [
    ([], [0, 1, 2, 3]), (["--tool", "add"], [0, 1]), (["--level", "warning"], [1, 3]), (["--type", "framework"], [3]),
    (["--status", "error"], [1]), (["--correlation-id", "c-1"], [0, 2, 3]), (["--text", "100%"], [1]),
    (["--text", "_"], []), (["--limit", "2"], [0, 1]), (["--limit", "2", "--offset", "1"], [1, 2]),
    (["--since", "2h"], [0]), (["--since", "5d", "--until", "2h"], [1, 2]),
    (["--since", ago(hours=4).isoformat(), "--until", ago(minutes=5).isoformat()], [1]),
    (["--tool", "add", "--status", "success", "--since", "1d"], [0]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "expected"), LISTED)
def test_logs_lists_what_matches_newest_first(shown: Any, arguments: list[str], expected: list[int]) -> None:
    """One JSON object a line, its keys the fields of an entry."""
    lines = shown("logs", *arguments)
    assert [line["entry_id"] for line in lines] == [ENTRIES[index].entry_id for index in expected]
    assert all(tuple(line) == FIELD_NAMES for line in lines)


def test_logs_shows_a_table_that_nothing_in_it_can_break(recorded: object, capsys: Any, monkeypatch: Any) -> None:
    """A head, one line an entry, the error beside its message, control characters shown and not obeyed."""
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["logs"]) == 0
    head, _, failed, _, odd = capsys.readouterr().out.splitlines()
    assert head.split() == ["time", "level", "correlation_id", "tool", "status", "ms", "message"]
    assert failed.endswith("add: error (100% wrong)")
    assert odd.endswith("from\\na library\\x1b[2J")


def test_logs_stats_sums_up_each_tool(shown: Callable[..., list[dict[str, Any]]], recorded: Any) -> None:
    """Calls, errors and percentiles; other lines do not count; filters apply; no limit hides calls."""
    assert shown("logs", "stats") == [{"tool": "add", "calls": 2, "errors": 1, "p50_ms": 20.0, "p95_ms": 29.0}]
    assert shown("logs", "stats", "--since", "2h")[0]["calls"] == 1
    recorded(make_entry("b", tool_name="b", log_type="tool_execution", status="input_required", duration_ms=5.0))
    assert [(row["tool"], row["errors"], row["p95_ms"]) for row in shown("logs", "stats")][1] == ("b", 0, 5.0)
    many = {"tool_name": "many", "log_type": "tool_execution", "status": "success", "duration_ms": 1.0}
    recorded(*[make_entry(timestamp=ago(seconds=number / 100), **many) for number in range(10_500)])
    assert shown("logs", "stats", "--tool", "many")[0]["calls"] == 10_500


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


def test_logs_follow_shows_nothing_old_and_leaves_nothing_out(recorded: Any, monkeypatch: Any, capsys: Any) -> None:
    """However much there was before, and however much comes between two looks, during one, or late."""
    for name, value in (("POLL_INTERVAL", 0), ("PAGE", 2), ("MAX_LIMIT", 9)):
        monkeypatch.setattr(f"{PACKAGE}.cli.logs.{name}", value)
    new = [make_entry(str(number), timestamp=NOW + timedelta(seconds=number)) for number in range(50)]
    late = make_entry("late", timestamp=new[39].timestamp - timedelta.resolution)
    query, write, looks = JsonLinesDestination.query, JsonLinesDestination.write_batch, count()
    arrivals = {3: new[:20], 5: new[20:40], 60: [late], 70: new[40:]}

    async def look(self: JsonLinesDestination, **filters: Any) -> list[LogEntry]:
        await write(self, arrivals.get(number := next(looks), []))
        if number == 100:
            raise KeyboardInterrupt
        return await query(self, **filters)

    monkeypatch.setattr(JsonLinesDestination, "query", look)
    assert main(["logs", "--follow", "--json", "--limit", "1"]) == 130
    shown = [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(shown) == sorted([ENTRIES[0].message, "late", *(entry.message for entry in new)])


@pytest.mark.parametrize("looks", [0, 5])
def test_a_driver_that_fails_is_one_sentence(looks: int, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """The exit code is 1, the destination is closed; as long as nothing was found, the head was shown only once."""
    query, close = AsyncMock(side_effect=[*[[]] * looks, OSError("gone")]), AsyncMock()
    monkeypatch.setattr(ForgetfulDestination, "query", query)
    monkeypatch.setattr(ForgetfulDestination, "close", close)
    monkeypatch.setattr(f"{PACKAGE}.cli.logs.POLL_INTERVAL", 0)
    assert main(["logs", "--follow", "--from", "helpers:ForgetfulDestination"]) == 1
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (min(looks, 1), "forgetful cannot be read: gone\n")
    assert close.await_count == 1


@pytest.mark.parametrize("arguments", [["logs"], ["logs", "--json"], ["logs", "stats"], ["doctor"]])
def test_a_reader_that_has_gone_ends_it_quietly(recorded: object, start: Any, arguments: Any, monkeypatch: Any) -> None:
    """As `logs | head` does, with the exit code that shells show for SIGPIPE."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    reader, writer = os.pipe()
    os.close(reader)
    process = start("-m", PACKAGE, *arguments, stdout=writer)
    os.close(writer)
    assert (process.communicate(timeout=20)[1], process.returncode) == ("", 141)


TARGETS = f"Name the destination to resend to: --to {'|'.join(PRODUCTION) or 'package.module:Class'}"
IGNORED = ["list --to=x", "stats --to=x", "stats --type=internal", "stats --limit=1", "stats --offset=1",
           "stats --follow", "resend --limit=50", "resend --offset=0", "resend --follow", "resend --json"]  # fmt: skip
REFUSED = [
    ("--limit=0", "--limit: must be between 1 and 10000, not '0'"), ("--from=pigeon", "--from is 'pigeon'; valid"),
    ("--from=helpers:WriteOnlyDestination", "There is nothing to read: custom is write-only"),
    ("--since=yesterday", "'yesterday' is neither ISO 8601"), ("--status=fine", "'fine'"), ("--level=LOUD", "'LOUD'"),
    ("--since=9999999d", "outside the years"), ("--since=0001-01-01T00:00+01:00", "outside the years"),
    ("frob", "frob"), ("--enable-local-logging=logs", "put the verb first"),
    (f"resend --log-destination-type={OWN},helpers:MemoryDestination", TARGETS if LOCAL else "nothing to resend"),
    *((text, f"logs {text.partition('=')[0].replace(' ', ' does not support ')}: it s") for text in IGNORED),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), REFUSED)
def test_logs_says_what_it_cannot_do(recorded: object, arguments: str, said: str, capsys: Any) -> None:
    """The last line on stderr says what is wrong, and what is valid; nothing is sent or shown; exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        raise SystemExit(main(["logs", *arguments.split()]))
    out, err = capsys.readouterr()
    assert (out, said in err.splitlines()[-1]) == ("", True)


def test_times_are_ages_or_iso_8601() -> None:
    """Ages count from now; a time without a zone is UTC."""
    for text, seconds in (("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800)):
        assert abs((datetime.now(UTC) - moment(text)).total_seconds() - seconds) < 5
    assert moment("2026-01-31T10:00") == moment("2026-01-31T12:00:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)


def test_logs_resend_sends_again_what_production_missed(own_logging: Any, record_here: Any, capsys: Any) -> None:
    """From this machine's entries, oldest first, with their ids and times."""
    entries = [make_entry(str(number), timestamp=ago(minutes=number)) for number in range(2_500)]
    asyncio.run(record_here(entries))
    assert main(["logs", "resend", "--since", ago(minutes=9).isoformat()]) == 0
    assert [entry["message"] for entry in own_logging()] == [str(number) for number in range(9, -1, -1)]
    assert main(["logs", "resend", "--to", OWN]) == 0
    bars = capsys.readouterr().err
    assert f"\r[{'#' * 12}{'.' * 18}] 1000/2500\r" in bars
    assert bars.endswith(f"\r[{'#' * 30}] 2500/2500\n2500 of 2500 entries sent to jsonl\n")
    assert own_logging()[-2_500:] == [entry.to_dict() for entry in entries[::-1]]


@pytest.mark.parametrize(("failures", "patience", "arrived"), [(range(2, 5), 30, 300), (range(3, 99), 0, 200)])
def test_logs_resend_goes_on_as_long_as_anything_arrives(
    own_logging: Any, record_here: Any, failures: range, patience: int, arrived: int, monkeypatch: Any, capsys: Any
) -> None:
    """Passing trouble ends nothing; when nothing arrives any more, it is said from where on to send again."""
    for name, value in (("PAGE", 100), ("PATIENCE", patience)):
        monkeypatch.setattr(f"{PACKAGE}.cli.resend.{name}", value)
    entries = [make_entry(str(number), timestamp=ago(minutes=number)) for number in range(300, 0, -1)]
    asyncio.run(record_here(entries))
    write, attempts = JsonLinesDestination.write_batch, count(1)

    async def fail_at_times(self: JsonLinesDestination, batch: Sequence[LogEntry]) -> None:
        if next(attempts) in failures:
            raise OSError
        await write(self, batch)

    monkeypatch.setattr(JsonLinesDestination, "write_batch", fail_at_times)
    assert main(["logs", "resend"]) == (arrived < 300)
    assert own_logging() == [entry.to_dict() for entry in entries[:arrived]]
    said, since = capsys.readouterr().err, f"Send the rest with --since {iso_utc(entries[200].timestamp)}\n"
    assert f"\n{arrived} of 300 entries sent to jsonl\n" in said
    assert said.endswith(since) == (arrived < 300)


def test_logs_resend_holds_only_a_part_in_memory(own_logging: Any, record_here: Any, monkeypatch: Any) -> None:
    """Nothing is left out where pages end among entries of one moment, nor where others arrive meanwhile."""
    monkeypatch.setattr(f"{PACKAGE}.cli.resend.PERIOD", 100)
    asyncio.run(record_here([make_entry(str(n), timestamp=ago(minutes=n // 7)) for n in range(1_000)]))
    write, held = JsonLinesDestination.write_batch, list[int]()

    async def measure(self: JsonLinesDestination, entries: Sequence[LogEntry]) -> None:
        held.append(sum(isinstance(item, LogEntry) for item in gc.get_objects()))
        await write(self, entries)
        await record_here([make_entry("late", timestamp=ago(minutes=1)) for _ in range(30)])

    monkeypatch.setattr(JsonLinesDestination, "write_batch", measure)
    gc.collect()
    assert main(["logs", "resend", "--to", OWN]) == 0
    assert sorted(int(line["message"]) for line in own_logging() if line["message"] != "late") == [*range(1_000)]
    assert max(held) < 500


def test_ctrl_c_ends_a_resend_that_hangs(own_logging: object, record_here: Any, monkeypatch: Any) -> None:
    """In the time that the exit may take, however long an attempt may."""

    async def interrupt(*_: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    asyncio.run(record_here([make_entry()]))
    monkeypatch.setattr(JsonLinesDestination, "write_batch", interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio leaves others alone
    begun = time.monotonic()
    assert main(["logs", "resend", "--log-drain-timeout-ms", "100"]) == 130
    assert time.monotonic() - begun < 3


def test_doctor_finds_what_works(own_logging: Callable[[], list[Any]], isolated: object, capsys: Any) -> None:
    """A probe is written and read back; the exit code is 0, and what is off is named."""
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert f"ok    configuration: no .env and no config.yaml in {isolated}, transport stdio" in out
    assert "ok    jsonl: written 1, retried 0, dropped 0, failed 0, queued 0 (read back)" in out
    assert all(f"off   {name}: switched off by ENABLE_LOCAL_LOGGING=false" in out for name in LOCAL)
    assert own_logging()[0]["correlation_id"].startswith("doctor-")


@pytest.mark.parametrize(("kind", "said"), [
    ("helpers:HangingDestination", "FAIL  memory: written 0"), ("nowhere:Class", "FAIL  nowhere:Class: LOG_DEST"),
    ("helpers:ForgetfulDestination", "FAIL  forgetful: written 1, retried 0, dropped 0, failed 0, queued 0 (written,"),
])  # fmt: skip
def test_doctor_finds_what_fails(own_logging: object, kind: str, said: str, monkeypatch: Any, capsys: Any) -> None:
    """A destination that hangs, forgets or cannot be built: said with a hint, exit code 1, in the time configured."""
    monkeypatch.setattr(f"{PACKAGE}.cli.doctor.PATIENCE", 0.2)
    settings = ["--log-write-timeout-ms", "50", "--log-drain-timeout-ms", "50"]
    assert main(["doctor", "--log-destination-type", kind, *settings]) == 1
    assert f"\n{said}" in (out := capsys.readouterr().out)
    assert out.partition("FAIL")[2].splitlines()[1].startswith("      to fix it: LOG_DESTINATION_TYPE must name ")


def test_doctor_takes_write_only_destinations_and_none_at_all(own_logging: object, capsys: Any) -> None:
    """What cannot be read back is said to be so; without destinations stderr is the only place."""
    assert main(["doctor", "--log-destination-type", "helpers:WriteOnlyDestination"]) == 0
    assert "(write-only: not read back)" in capsys.readouterr().out
    assert main(["doctor", "--enable-production-logging", "false"]) == 0
    assert "ok    stderr: the only destination" in capsys.readouterr().out
    assert main(["doctor", "--enable-production-logging", "false", "--enable-local-logging"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name.upper()}=" in out for name in ServerConfig.model_fields if destination_of(name) in LOCAL)


def test_help_names_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    """Under the command's own name; `--version` is the package's."""
    for option, expected in (("--version", [__version__]), ("--help", [f"usage: {COMMAND} ", *VERBS])):
        with pytest.raises(SystemExit, match="0"):
            main([option])
        out = capsys.readouterr().out
        assert [text for text in expected if text not in out] == []
