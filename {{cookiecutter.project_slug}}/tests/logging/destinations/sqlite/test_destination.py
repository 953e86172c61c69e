"""The SQLite file: private, shared by processes, and created again after every kind of damage."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers import assert_nobody_waited, until
from loguru import logger
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.destinations import delivery
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.factory import create_log_destination
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Start = Callable[..., subprocess.Popen[str]]

PROGRAMS = Path(__file__).with_name("fixtures")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure a file in a folder that does not exist yet."""
    path = tmp_path / "data" / "logs.db"
    monkeypatch.setenv("SQLITE_PATH", str(path))
    monkeypatch.setattr(delivery, "OUTAGE_PAUSES", (0.05,))
    return path


@pytest.fixture
def logging_to(path: Path) -> Path:
    """Start logging to the file as the server does."""
    UnifiedLogger.initialize(create_log_destination(ServerConfig()))
    return path


def rows(path: Path, columns: str = "message", where: str = "1") -> list[Any]:
    """Return the rows in the file, oldest first; none if there is no file."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            found = connection.execute(f"SELECT {columns} FROM unified_logs WHERE {where} ORDER BY id").fetchall()
    except sqlite3.OperationalError:
        return []
    return [row[0] if len(row) == 1 else row for row in found]


def program(name: str, *arguments: str | Path) -> list[str]:
    """Return the command-line arguments that run one of the programs beside this module."""
    return [str(PROGRAMS / name), *map(str, arguments)]


def last_error() -> str:
    """Return the last error of the destination."""
    return UnifiedLogger.counters()[0].last_error or ""


def test_the_file_is_private_and_has_one_column_per_field(logging_to: Path) -> None:
    """All files of the database have mode 0600; it uses WAL, the field names in order, and UTC timestamps as text."""
    logger.info("hello")
    UnifiedLogger.flush()
    assert [file.stat().st_mode & 0o777 for file in sorted(logging_to.parent.iterdir())] == [0o600] * 3
    assert logging_to.parent.stat().st_mode & 0o777 == 0o700
    with closing(sqlite3.connect(logging_to)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        columns = [row[1] for row in connection.execute("PRAGMA table_info(unified_logs)")]
    assert columns == ["id", *FIELD_NAMES]
    ((message, timestamp, data),) = rows(logging_to, "message, timestamp, extra_data")
    assert (message, timestamp[-6:], data) == ("hello", "+00:00", None)


async def test_a_locked_file_delays_no_log_call_and_loses_nothing(logging_to: Path, start: Start) -> None:
    """Log calls and the event loop continue; all lines are written when the lock is released."""
    logger.info("first")
    UnifiedLogger.flush()
    locker = start(*program("hold_lock.py", logging_to))
    assert locker.stdout.readline() == "locked\n"
    steps, deadline = [], time.monotonic() + 20
    while "locked" not in last_error() or len(steps) < 2_000:
        assert time.monotonic() < deadline
        begun = time.perf_counter()
        logger.info(len(steps))
        await asyncio.sleep(0.001)
        steps.append(time.perf_counter() - begun)
    assert_nobody_waited(steps)
    locker.stdin.close()
    until(lambda: len(rows(logging_to)) > len(steps))
    assert rows(logging_to) == ["first", *map(str, range(len(steps)))]


VANISH = {
    "deleted": lambda path: [file.unlink() for file in path.parent.iterdir()],
    "moved": lambda path: path.parent.rename(path.parent.with_name("moved")),
    "replaced": lambda path: [file.unlink() for file in path.parent.iterdir()] + [path.touch()],
}


@pytest.mark.parametrize("vanish", VANISH.values(), ids=VANISH)
def test_a_vanished_file_is_created_again(logging_to: Path, vanish: Callable[[Path], Any]) -> None:
    """All later lines are in the new file at the path."""
    logger.info("before")
    UnifiedLogger.flush()
    vanish(logging_to)
    for number in range(100):
        logger.info(number)
    until(lambda: rows(logging_to) == [str(number) for number in range(100)])


OBSTACLES = {
    "garbage": (lambda path: (path.parent.mkdir(), path.write_bytes(b"garbage" * 1_000)), Path.unlink),
    "folder in the file's place": (lambda path: path.mkdir(parents=True), Path.rmdir),
    "file in the folder's place": (lambda path: path.parent.touch(), lambda path: path.parent.unlink()),
    "read-only": (lambda path: path.parent.mkdir(mode=0o500), lambda path: path.parent.chmod(0o700)),
}
if os.geteuid() == 0:  # root can write to read-only folders
    del OBSTACLES["read-only"]


@pytest.mark.parametrize(("obstruct", "clear"), OBSTACLES.values(), ids=OBSTACLES)
def test_an_obstacle_is_reported_once_and_delivery_resumes_without_it(
    path: Path, obstruct: Callable[[Path], Any], clear: Callable[[Path], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Entries wait in memory until the file can be written."""
    obstruct(path)
    UnifiedLogger.initialize(create_log_destination(ServerConfig()))
    for number in range(100):
        logger.warning(number)
    until(last_error)
    assert UnifiedLogger.counters()[0].queued == 100
    clear(path)
    until(lambda: len(rows(path)) == 100)
    UnifiedLogger.shutdown()
    shown = capfd.readouterr().err
    assert shown.count("sqlite: ") == 3
    assert shown.count("entries wait, 0 dropped so far)") == 1
    assert shown.count("sqlite: delivering again after") == 1


def test_a_full_disk_loses_nothing_that_fits_the_buffer(path: Path, start: Start) -> None:
    """Every line is written once when space is available again."""
    process = start(*program("log_to_full_disk.py", path))
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert [int(message.split()[0]) for message in rows(path)] == list(range(2_000))


def test_four_processes_share_one_file(path: Path, start: Start) -> None:
    """They create it and write to it at the same time: no line is lost, and no log call is slow."""
    processes = [start(*program("log_many.py", path, f"p{index}")) for index in range(4)]
    for process in processes:
        _, err = process.communicate(timeout=40)
        assert process.returncode == 0, err
    for index in range(4):
        lines = rows(path, where=f"message LIKE 'p{index} %'")
        assert lines == [f"p{index} {number}" for number in range(1_000)]


def test_a_killed_process_loses_no_delivered_entry(path: Path, start: Start) -> None:
    """The file stays intact."""
    process = start(*program("log_until_killed.py", path))
    assert process.stdout.readline() == "delivered\n"
    process.kill()
    process.wait()
    assert rows(path)[:500] == [str(number) for number in range(500)]


@pytest.mark.parametrize("is_locked", [False, True], ids=["free", "locked"])
def test_the_drivers_thread_does_not_delay_the_exit(path: Path, start: Start, is_locked: bool) -> None:
    """A script exits by itself even if the file is locked; a forked child that exits at once loses nothing."""
    process = start(*program("log_and_fork.py", path))
    assert process.stdout.readline() == "ready\n"
    if is_locked:
        assert start(*program("hold_lock.py", path)).stdout.readline() == "locked\n"
    begun = time.monotonic()
    _, err = process.communicate("\n", timeout=20)
    assert (process.returncode, time.monotonic() - begun < 8) == (0, True)
    assert ("dropped 1" in err) == is_locked
    if not is_locked:
        assert rows(path) == ["first", "child", "last"]


def test_a_script_may_end_before_its_file_is_open(path: Path, run: Callable[..., Any]) -> None:
    """The driver starts a thread, which Python 3.12 refuses after the main thread has ended."""
    assert run(*program("log_once.py", path)).returncode == 0
    assert rows(path) == ["once"]


def test_the_drivers_own_lines_are_not_stored(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With LOG_LEVEL=DEBUG they are on stderr, and the table contains only the application's lines."""
    config = ServerConfig(log_level="DEBUG")
    UnifiedLogger.initialize(create_log_destination(config), settings=config)
    logger.debug("mine")
    for _ in range(3):
        UnifiedLogger.flush()
    UnifiedLogger.shutdown()
    assert [row for row in rows(path, "message, module") if row[1].startswith("aiosqlite")] == []
    assert rows(path, where="log_type = 'internal'") == ["mine"]
    assert "aiosqlite" in capfd.readouterr().err


async def test_every_call_of_a_server_is_in_the_file_and_can_be_listed(
    path: Path, serve_arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A client calls tools and disconnects; `logs` shows the calls."""
    server = StdioServerParameters(command=sys.executable, args=serve_arguments, env=dict(os.environ))
    with (tmp_path / "stderr").open("w") as stderr:
        async with Client(stdio_client(server, errlog=stderr)) as client:
            for number in range(300):
                await client.call_tool("say", {"text": str(number)}, meta={"correlation_id": f"c-{number}"})
    expected = [(f"c-{number}", json.dumps({"text": str(number)}, separators=(",", ":"))) for number in range(300)]
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT correlation_id, input_args FROM unified_logs WHERE log_type = 'tool_execution' ORDER BY id"
        assert connection.execute(query).fetchall() == expected
    assert await asyncio.to_thread(main, ["logs", "--status", "success", "--limit", "2", "--json"]) == 0
    shown = [json.loads(line)["input_args"] for line in capsys.readouterr().out.splitlines()]
    assert shown == [{"text": "299"}, {"text": "298"}]


def test_reading_does_not_create_the_file(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`logs` shows an empty table before the first entry; `doctor` creates the file and reads its probe back."""
    assert main(["logs"]) == main(["logs", "stats"]) == 0
    assert not path.parent.exists()
    assert main(["doctor"]) == 0
    assert "ok    sqlite: a test entry was written and read back" in capsys.readouterr().out
