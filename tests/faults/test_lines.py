"""Log lines with unusual values, and log lines while logging is initialized again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.project import Project

FIXTURES = Path(__file__).with_name("fixtures")


def test_a_value_that_logs_while_it_is_formatted_costs_no_line(project: Project, tmp_path: Path) -> None:
    """The lines of its `__str__` and of a signal handler that interrupts it are recorded, and so is its own line."""
    stored, _ = _run(project, tmp_path, "values_that_log.py")
    expected = ["nested", "a line of __str__", "interrupted", "a line of a signal handler", "nameless"]
    assert sorted(stored) == sorted(expected)


def test_no_thread_waits_for_the_values_of_another(project: Project, tmp_path: Path) -> None:
    """A value that takes long to format delays only the thread that logs it."""
    stored, _ = _run(project, tmp_path, "slow_value.py")
    assert sorted(stored) == ["quick", "slow"]


def test_no_line_is_lost_while_logging_is_initialized_again(project: Project, tmp_path: Path) -> None:
    """Threads log all the time; what the old destination does not receive goes to the new one."""
    stored, printed = _run(project, tmp_path, "initialize_again.py")
    assert len({message for message in stored if message[0].isdigit()}) == int(printed) > 0


def _run(project: Project, folder: Path, program: str) -> tuple[list[str], str]:
    """Run a program and return the messages it recorded and its output."""
    done = project.run_python(folder, FIXTURES / program)
    assert done.returncode == 0, done.stderr
    assert "Logging error" not in done.stderr
    with closing(sqlite3.connect(folder / "logs.db")) as connection:
        return [message for (message,) in connection.execute("SELECT message FROM unified_logs")], done.stdout
