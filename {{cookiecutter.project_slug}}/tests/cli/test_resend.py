"""`logs resend`: send entries from this machine again."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import JSON_LINES, JsonLinesDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL, PRODUCTION
from {{cookiecutter.project_slug}}.logging.destinations.base import LogEntry
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.logging.entry import iso_utc

from .cli_helpers import ago

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    ReadEntries = Callable[[], list[dict[str, Any]]]
    RecordLocally = Callable[[list[LogEntry]], Awaitable[None]]


def test_resend_sends_entries_oldest_first(
    own_logging: ReadEntries, record_locally: RecordLocally, capsys: pytest.CaptureFixture[str]
) -> None:
    """Entries keep their ids and times; a bar on stderr shows the progress."""
    entries = [make_entry(str(number), timestamp=ago(minutes=number)) for number in range(2_500)]
    asyncio.run(record_locally(entries))
    assert main(["logs", "resend", "--since", ago(minutes=9).isoformat()]) == 0
    assert [entry["message"] for entry in own_logging()] == [str(number) for number in range(9, -1, -1)]
    assert main(["logs", "resend", "--to", JSON_LINES]) == 0
    err = capsys.readouterr().err
    assert f"\r[{'#' * 12}{'.' * 18}] 1000/2500\r" in err
    assert err.endswith(f"\r[{'#' * 30}] 2500/2500\n2500 of 2500 entries sent to jsonl\n")
    assert own_logging()[-2_500:] == [entry.to_dict() for entry in entries[::-1]]


def test_resend_without_a_single_target_asks_for_one(recorded: object, capsys: pytest.CaptureFixture[str]) -> None:
    """The message lists the valid names, or says that this project stores no entries to resend."""
    targets = f"Name the destination to resend to: --to {'|'.join(PRODUCTION) or 'package.module:Class'}"
    two = f"{JSON_LINES},fake_destinations:MemoryDestination"
    assert main(["logs", "resend", "--log-destination-type", two]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert (targets if LOCAL else "nothing to resend") in err


@pytest.mark.parametrize(
    ("failing_attempts", "patience", "arrived"),
    [(range(2, 5), 30, 300), (range(3, 99), 0, 200)],
    ids=["short outage", "long outage"],
)
def test_resend_continues_while_entries_arrive(
    own_logging: ReadEntries,
    record_locally: RecordLocally,
    failing_attempts: range,
    patience: int,
    arrived: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """After a long outage it stops, and prints from which time to resend the rest."""
    monkeypatch.setattr(f"{PACKAGE}.cli.resend.PAGE", 100)
    monkeypatch.setattr(f"{PACKAGE}.cli.resend.PATIENCE", patience)
    entries = [make_entry(str(number), timestamp=ago(minutes=number)) for number in range(300, 0, -1)]
    asyncio.run(record_locally(entries))
    write, attempts = JsonLinesDestination.write_batch, count(1)

    async def fail_sometimes(self: JsonLinesDestination, batch: Sequence[LogEntry]) -> None:
        if next(attempts) in failing_attempts:
            raise OSError
        await write(self, batch)

    monkeypatch.setattr(JsonLinesDestination, "write_batch", fail_sometimes)
    is_complete = arrived == 300
    assert main(["logs", "resend"]) == (0 if is_complete else 1)
    assert own_logging() == [entry.to_dict() for entry in entries[:arrived]]
    err = capsys.readouterr().err
    assert f"\n{arrived} of 300 entries sent to jsonl\n" in err
    assert err.endswith(f"Send the rest with --since {iso_utc(entries[200].timestamp)}\n") != is_complete


def test_resend_keeps_only_some_entries_in_memory(
    own_logging: ReadEntries, record_locally: RecordLocally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entry is sent, even if a page ends among entries with the same time or more entries arrive meanwhile."""
    monkeypatch.setattr(f"{PACKAGE}.cli.resend.PERIOD", 100)
    asyncio.run(record_locally([make_entry(str(n), timestamp=ago(minutes=n // 7)) for n in range(1_000)]))
    write, in_memory = JsonLinesDestination.write_batch, list[int]()

    async def count_entries(self: JsonLinesDestination, entries: Sequence[LogEntry]) -> None:
        in_memory.append(count_entries_in_memory())
        await write(self, entries)
        await record_locally([make_entry("late", timestamp=ago(minutes=1)) for _ in range(30)])

    monkeypatch.setattr(JsonLinesDestination, "write_batch", count_entries)
    gc.collect()
    before = count_entries_in_memory()
    assert main(["logs", "resend", "--to", JSON_LINES]) == 0
    assert sorted(int(line["message"]) for line in own_logging() if line["message"] != "late") == [*range(1_000)]
    assert max(in_memory) - before < 500


def count_entries_in_memory() -> int:
    """Return the number of entries in this process, those of test modules included."""
    return sum(isinstance(item, LogEntry) for item in gc.get_objects())


def test_ctrl_c_ends_a_hanging_resend(
    own_logging: object, record_locally: RecordLocally, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends within the drain timeout, although a write may take longer."""

    async def interrupt(*_: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    asyncio.run(record_locally([make_entry()]))
    monkeypatch.setattr(JsonLinesDestination, "write_batch", interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio replaces only this handler
    started = time.monotonic()
    assert main(["logs", "resend", "--log-drain-timeout-ms", "100"]) == 130
    assert time.monotonic() - started < 3
