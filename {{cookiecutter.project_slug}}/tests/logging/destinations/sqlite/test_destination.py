"""The SQLite file: filled by servers, private, shared by processes, and survived whatever happens to it."""

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
from helpers import assert_nobody_waited, program, until
from loguru import logger
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.destinations import delivery
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES
from {{cookiecutter.project_slug}}.logging.factory import create_log_destination
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Start = Callable[..., subprocess.Popen[str]]

SCRIPT = """
import logging, os, resource, signal, sys, time, warnings
from loguru import logger
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from helpers import assert_nobody_waited, until
from PACKAGE.logging.destinations import SQLiteDestination
from PACKAGE.logging.unified_logger import UnifiedLogger
warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12 on os.fork
UnifiedLogger.initialize(SQLiteDestination(sys.argv[1]))
"""
AT_ONCE = """
import asyncio, sys
from loguru import logger
from PACKAGE.logging.destinations import SQLiteDestination
from PACKAGE.logging.unified_logger import UnifiedLogger
class Slow(SQLiteDestination):
    async def open(self):
        await asyncio.sleep(0.1)
        await super().open()
UnifiedLogger.initialize(Slow(sys.argv[1]))
logger.info("once")
"""
LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
connection.rollback()
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure a file, in a folder that is not there yet."""
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
    """Return what is in the file, oldest first, none where there is no file."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
            found = connection.execute(f"SELECT {columns} FROM unified_logs WHERE {where} ORDER BY id").fetchall()
    except sqlite3.OperationalError:
        return []
    return [row[0] if len(row) == 1 else row for row in found]


def last_error() -> str:
    """Return the destination's last complaint."""
    return UnifiedLogger.counters()[0].last_error or ""


def test_the_file_is_private_and_its_columns_are_the_entrys_fields(logging_to: Path) -> None:
    """Mode 0600, also of its companions; WAL; columns of the fields' names, in their order; the time as UTC text."""
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


def test_the_default_file_is_in_the_users_data_folder(tmp_path: Path) -> None:
    """Below the home, in a folder of the package's name."""
    path = ServerConfig().sqlite_path
    assert path.is_relative_to(tmp_path / "home")
    assert PACKAGE in path.parts


async def test_a_locked_file_delays_nobody_and_loses_nothing(logging_to: Path, start: Start) -> None:
    """While another process holds it, log calls and the event loop go on; afterwards every line is there."""
    logger.info("first")
    UnifiedLogger.flush()
    locker = start(*program(LOCK), str(logging_to))
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
def test_a_file_that_vanishes_is_made_again(logging_to: Path, vanish: Callable[[Path], Any]) -> None:
    """What is logged afterwards is in the file that has the path then."""
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
if os.geteuid() == 0:  # root may write anywhere
    del OBSTACLES["read-only"]


@pytest.mark.parametrize(("obstruct", "clear"), OBSTACLES.values(), ids=OBSTACLES)
def test_an_obstacle_is_said_once_and_delivery_goes_on_without_it(
    path: Path, obstruct: Callable[[Path], Any], clear: Callable[[Path], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """The server runs on with its entries waiting, and takes up again when it can."""
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
    assert shown.count("(entries wait, 0 dropped so far)") + shown.count("100 entries wait") == 1
    assert shown.count("sqlite: delivering again after") == 1


FULL = """
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
for number in range(2000): logger.info(f"{number} " + "x" * 500)
until(lambda: UnifiedLogger.counters()[0].last_error)
assert UnifiedLogger.counters()[0].dropped == UnifiedLogger.counters()[0].failed == 0
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
until(lambda: UnifiedLogger.counters()[0].written == 2000)
"""


def test_a_full_disk_loses_nothing_that_the_buffer_can_hold(path: Path, start: Start) -> None:
    """The process runs on, and when there is room again everything is written, once."""
    process = start(*program(SCRIPT + FULL), str(path))
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert [int(message.split()[0]) for message in rows(path)] == list(range(2_000))


MANY = """
steps = []
for number in range(1000):
    begun = time.perf_counter()
    logging.getLogger("app").info("%s %d", sys.argv[2], number)
    steps.append(time.perf_counter() - begun)
assert_nobody_waited(steps)
assert UnifiedLogger.flush(20)
"""


def test_four_processes_share_one_file(path: Path, start: Start) -> None:
    """They make it at the same time and write at the same time: nothing is lost, no call waits."""
    processes = [start(*program(SCRIPT + MANY), str(path), f"p{index}") for index in range(4)]
    for process in processes:
        _, err = process.communicate(timeout=40)
        assert process.returncode == 0, err
    for index in range(4):
        lines = rows(path, where=f"message LIKE 'p{index} %'")
        assert lines == [f"p{index} {number}" for number in range(1_000)]


def test_a_killed_process_loses_at_most_what_was_in_memory(path: Path, start: Start) -> None:
    """What was delivered is there, and the file is whole."""
    text = "for n in range(500): logger.info(n)\nUnifiedLogger.flush()\nprint('now', flush=True)\nsignal.pause()"
    process = start(*program(SCRIPT + text), str(path))
    assert process.stdout.readline() == "now\n"
    process.kill()
    process.wait()
    assert rows(path)[:500] == [str(number) for number in range(500)]


@pytest.mark.parametrize("is_locked", [False, True], ids=["free", "locked"])
def test_the_drivers_thread_keeps_no_process_from_ending(path: Path, start: Start, is_locked: bool) -> None:
    """A script that only logs ends by itself, also while the file is locked; a quick child loses nothing."""
    text = "logger.info(1)\nUnifiedLogger.flush()\nprint('go', flush=True)\nsys.stdin.readline()\n"
    text += "if os.fork() == 0:\n    logger.info('child')\n    sys.exit()\nos.wait()\nlogger.info(2)\n"
    process = start(*program(SCRIPT + text), str(path))
    assert process.stdout.readline() == "go\n"
    if is_locked:
        assert start(*program(LOCK), str(path)).stdout.readline() == "locked\n"
    begun = time.monotonic()
    _, err = process.communicate("\n", timeout=20)
    assert (process.returncode, time.monotonic() - begun < 8) == (0, True)
    assert ("dropped 1" in err) == is_locked
    if not is_locked:
        assert rows(path) == ["1", "child", "2"]


def test_a_script_may_end_before_its_file_is_open(path: Path, run: Callable[..., Any]) -> None:
    """The driver works on a thread of its own, which Python 3.12 does not start once the main one has ended."""
    assert run(*program(AT_ONCE), str(path)).returncode == 0
    assert rows(path) == ["once"]


def test_the_drivers_own_lines_are_not_stored(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With LOG_LEVEL=DEBUG the driver says much on stderr, and the table holds the application's lines only."""
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
