"""The command of an installed project, as its user runs it: in any locale, at any home, whatever others say."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from .project import SLUG

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .project import Project

    Command = Callable[..., subprocess.CompletedProcess[str]]

NOW = datetime.now(UTC)
ODD = "ä\x7f\x85\x9b\u2028\u202e😀"
RECORD = f"""
import asyncio, json, sys
from {SLUG}.config import load_config
from {SLUG}.logging.destinations.base import LogEntry
from {SLUG}.logging.destinations.sqlite import SQLiteDestination

async def record(entries):
    destination = SQLiteDestination(load_config().sqlite_path)
    await destination.write_batch(entries)
    await destination.close()

asyncio.run(record([*map(LogEntry.from_dict, json.load(sys.stdin))]))
"""
OWN = f"""
from {SLUG}.logging.destinations.base import LogDestination
from {SLUG}.logging.errors import RefusedError

class Bad(LogDestination):
    name = "bad"

    async def write_batch(self, entries):
        raise RefusedError("no\\x1b[2J\\nok    all is well, password=hunter2 for postgres://me:hunter2@db/x")

    async def write(self, entry):
        await self.write_batch([entry])

    async def query(self, **filters):
        await self.write_batch([])

class Lines(Bad):
    name = "lines"

    async def write_batch(self, entries):
        with open("lines.txt", "a") as file:
            file.writelines(entry.message + "\\n" for entry in entries)
"""
PRODUCTION = {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_WRITE_TIMEOUT_MS": "100", "LOG_DRAIN_TIMEOUT_MS": "100"}


@pytest.fixture
def command(project: Project, tmp_path: Path) -> Command:
    """Return what runs the command in a folder with a module of its user's own, and gives what it printed."""
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")

    def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [project.command, *arguments],
            cwd=tmp_path,
            env=project.environment(tmp_path, PYTHONPATH=str(tmp_path), **settings),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=60,
        )

    return run


@pytest.fixture
def record(project: Project, tmp_path: Path) -> Callable[..., None]:
    """Return what records entries, each given by its fields."""

    def write(*entries: dict[str, Any]) -> None:
        needed = {"correlation_id": "c", "level": "INFO", "log_type": "internal", "message": "", "timestamp": NOW}
        text = json.dumps([{**needed, **entry} for entry in entries], default=datetime.isoformat)
        environment = project.environment(tmp_path)
        subprocess.run([project.python, "-c", RECORD], input=text, env=environment, text=True, check=True)

    return write


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_entry_is_shown_on_any_stdout(command: Command, record: Callable[..., None], encoding: str) -> None:
    """A character that the encoding lacks is an escape."""
    record({"message": f"odd {ODD}"})
    done = command("logs", PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "odd " in done.stdout


@pytest.mark.parametrize("verb", ["doctor", "logs --from own:Bad", "logs resend --to own:Bad"])
def test_what_a_backend_says_is_shown_and_not_obeyed(command: Command, record: Callable[..., None], verb: str) -> None:
    """On one line, without control characters, and without its secrets."""
    record({"message": "one"})
    done = command(*verb.split(), LOG_DESTINATION_TYPE="own:Bad", **PRODUCTION)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "no\\x1b[2J\\nok    all is well, password=[redacted]" in said
    assert "\x1b" not in said
    assert "hunter2" not in said


@pytest.mark.parametrize("verb", ["", "logs", "doctor"])
def test_a_home_that_is_not_there_is_one_sentence(command: Command, verb: str) -> None:
    """With the setting that is to be mended."""
    done = command(*verb.split(), SQLITE_PATH="~no-such-user/logs.db")
    assert done.returncode == (1 if verb == "doctor" else 2)
    assert (done.stdout + done.stderr).count("SQLITE_PATH is '~no-such-user/logs.db': ") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", [":memory:", "file:logs.db", "logs.db?mode=memory", "a%20b#c.db"])
def test_a_path_means_a_file_and_nothing_else(command: Command, tmp_path: Path, name: str) -> None:
    """Of the folder that the command is started in, for its user only."""
    done = command("doctor", SQLITE_PATH=name)
    assert f"SQLITE_PATH={tmp_path / name}" in done.stdout
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert "probe of" in command("logs", SQLITE_PATH=name).stdout


def test_a_tool_that_goes_to_another_folder_takes_no_log_with_it(project: Project, tmp_path: Path) -> None:
    """A relative path means the folder in which the destination was made."""
    program = RECORD.replace("    await destination.write", "    import os; os.chdir('elsewhere')\n    await destination.write")
    (tmp_path / "elsewhere").mkdir()
    environment = project.environment(tmp_path, SQLITE_PATH="relative.db")
    subprocess.run([project.python, "-c", program], input="[]", env=environment, cwd=tmp_path, text=True, check=True)
    assert [path.parent for path in tmp_path.rglob("relative.db")] == [tmp_path]


@pytest.mark.parametrize(("days", "code"), [("36500", 0), ("36501", 2), ("999999", 2)])
def test_a_retention_before_the_first_year_is_refused(command: Command, days: str, code: int) -> None:
    """With the range; the longest that is taken works."""
    done = command("doctor", LOG_RETENTION_DAYS=days)
    assert (done.returncode, "36500" in done.stderr) == (code, code == 2)
