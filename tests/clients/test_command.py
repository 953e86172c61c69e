"""The command of an installed project, in any locale, with any home, and with destinations that fail."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import termios
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.project import SLUG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.project import Project

    Command = Callable[..., subprocess.CompletedProcess[str]]

FIXTURES = Path(__file__).with_name("fixtures")
NOW = datetime.now(UTC)
ODD = "ä\x7f\x85\x9b\u2028\u202e😀"
PRODUCTION = {"ENABLE_PRODUCTION_LOGGING": "true", "LOG_WRITE_TIMEOUT_MS": "100", "LOG_DRAIN_TIMEOUT_MS": "100"}


@pytest.fixture
def command(project: Project, tmp_path: Path) -> Command:
    """Return a function that runs the command in a folder, with the modules of `fixtures/` on its path."""
    return partial(project.run, tmp_path, PYTHONPATH=str(FIXTURES))


@pytest.fixture
def record(project: Project, tmp_path: Path) -> Callable[..., None]:
    """Return a function that records entries, each given by its fields."""

    def write(*entries: dict[str, Any]) -> None:
        now = datetime.now(UTC)  # what is a quarter of an hour old is not followed
        needed = {"correlation_id": "c", "level": "INFO", "log_type": "internal", "message": "", "timestamp": now}
        text = json.dumps([{**needed, **entry} for entry in entries], default=datetime.isoformat)
        project.run_python(tmp_path, FIXTURES / "record.py", stdin=text).check_returncode()

    return write


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_entry_is_shown_on_any_stdout(command: Command, record: Callable[..., None], encoding: str) -> None:
    """A character that the encoding lacks, and one that a terminal might obey, is an escape; JSON says the same."""
    record({"message": f"odd {ODD}"})
    table, line = (command("logs", *options, PYTHONIOENCODING=encoding) for options in ([], ["--json"]))
    assert [(done.returncode, done.stderr) for done in (table, line)] == [(0, "")] * 2
    assert "  odd " in table.stdout
    assert json.loads(line.stdout)["message"] == f"odd {ODD}"
    assert line.stdout.removesuffix("\n").isprintable()


@pytest.mark.parametrize("verb", ["doctor", "logs --from own:Bad", "logs resend --to own:Bad"])
def test_what_a_backend_says_is_shown_and_not_obeyed(command: Command, record: Callable[..., None], verb: str) -> None:
    """On one line, without control characters, and without its secrets."""
    record({"message": "one"})
    done = command(*verb.split(), LOG_DESTINATION_TYPE="own:Bad", **PRODUCTION)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert "no\\x1b[2J\\u202e\\nok    all is well, password=[redacted]" in said
    assert said.replace("\n", "").replace("\r", "").isprintable()
    assert "hunter2" not in said


def test_json_on_stderr_holds_nothing_that_a_terminal_obeys(command: Command) -> None:
    """Its values are what was said all the same."""
    done = command(LOG_FORMAT="json", LOG_LEVEL="DEBUG", LOG_DESTINATION_TYPE="own:Bad", **PRODUCTION)
    messages = [json.loads(line)["message"] for line in done.stderr.splitlines()]
    assert any("no\x1b[2J\u202e\nok    all is well" in message for message in messages)
    assert done.stderr.replace("\n", "").isprintable()


@pytest.mark.parametrize("path", ["~no-such-user/logs.db", ""])
@pytest.mark.parametrize(("verb", "code"), [("", 0), ("logs", 2), ("doctor", 1)])
def test_a_missing_home_is_reported_in_one_sentence(
    project: Project, tmp_path: Path, verb: str, code: int, path: str
) -> None:
    """The sentence names the setting to change, whether a path names an unknown user or our user has no home.

    The server runs all the same.
    """
    done = project.run(tmp_path, *verb.split(), SQLITE_PATH=path, PYTHONPATH=str(FIXTURES / "homeless"))
    who = "there is no user 'no-such-user'" if path else "this user has no home folder"
    assert done.returncode == code
    assert (done.stdout + done.stderr).count(f"SQLITE_PATH is '{path or f'~/{SLUG}/logs.db'}', but {who}: use ") == 1
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
    (tmp_path / "elsewhere").mkdir()
    done = project.run_python(tmp_path, FIXTURES / "record.py", "elsewhere", stdin="[]", SQLITE_PATH="relative.db")
    assert done.returncode == 0, done.stderr
    assert [path.parent for path in tmp_path.rglob("relative.db")] == [tmp_path]


def test_what_can_still_be_meant_is_taken(command: Command) -> None:
    """The longest retention that ends in a year of the calendar; a bracket that begins no JSON but an IPv6 address."""
    done = command("doctor", LOG_RETENTION_DAYS="36500", HTTP_ALLOWED_HOSTS="[::1]:8000,[fe80::1]")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        ("logs --from nowhere", {}, "--from is 'nowhere'; valid are: sqlite, package.module:Class."),
        ("logs --from no:Class", {}, "--from is 'no:Class', which cannot be loaded: ModuleNotFoundError: No module"),
        ("logs resend --to nowhere", {}, "--to is 'nowhere'; valid are: package.module:Class."),
        ("", {"LOG_RETENTION_DAYS": "x"}, "LOG_RETENTION_DAYS is 'x': it must be a whole number between 0 and 36500."),
        (
            "",
            {"LOG_RETENTION_DAYS": "36501"},
            "LOG_RETENTION_DAYS is '36501': it must be a whole number between 0",
        ),
        ("", {"ENABLE_LOCAL_LOGGING": "maybe"}, "ENABLE_LOCAL_LOGGING is 'maybe': it must be true or false."),
        ("", {"LOG_REDACT_KEYS": '["a",'}, "LOG_REDACT_KEYS is '[\"a\",': is not a valid JSON list: write a"),
        ("logs --limit abc", {}, "--limit: must be between 1 and 10000, not 'abc'"),
        ("logs --offset -1", {}, "--offset: must be between 0 and"),
        ("logs --clientx x", {}, "unknown option '--clientx' of logs; did you mean --client?"),
    ],
)
def test_what_is_wrong_is_said_where_it_was_given(
    command: Command, arguments: str, settings: dict[str, str], said: str
) -> None:
    """By the option or the setting, in one sentence with what is valid there."""
    done = command(*arguments.split(), **settings)
    assert (done.returncode, done.stdout) == (2, "")
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(said)


def test_doctor_names_an_empty_setting_once(command: Command) -> None:
    """And offers what this project has for production."""
    done = command("doctor", ENABLE_PRODUCTION_LOGGING="true")
    assert "FAIL  LOG_DESTINATION_TYPE is ''; valid are: package.module:Class.\n" in done.stdout


def test_doctor_says_which_files_were_read(command: Command, tmp_path: Path) -> None:
    """In full, with those that were looked for in vain."""
    files = {name: tmp_path / name for name in (".env", "config.yaml", "other.yaml")}
    for read, name in [
        (f"no .env and no config.yaml in {tmp_path}", ".env"),
        (f"{files['.env']}, no config.yaml in {tmp_path}", "config.yaml"),
        (f"{files['.env']}, {files['config.yaml']}", "other.yaml"),
    ]:
        assert command("doctor").stdout.startswith(f"ok    configuration: {read}, transport stdio, log level")
        files[name].touch()
    said = command("doctor", "--config", "other.yaml").stdout
    assert said.startswith(f"ok    configuration: {files['.env']}, {files['other.yaml']}, transport stdio")


def test_resend_sends_what_a_clock_ahead_has_stamped(command: Command, record: Any, tmp_path: Path) -> None:
    """As far as --until, where there is one."""
    record(*({"message": str(hours), "timestamp": NOW + timedelta(hours=hours)} for hours in range(-3, 7)))
    done = command("logs", "resend", "--to", "own:Lines", "--until", "1s")
    assert (tmp_path / "lines.txt").read_text().split() == ["-3", "-2", "-1", "0"]
    (tmp_path / "lines.txt").unlink()
    done = command("logs", "resend", "--to", "own:Lines")
    assert (done.returncode, "10 of 10 entries sent to lines" in done.stderr) == (0, True)
    assert (tmp_path / "lines.txt").read_text().split() == [*map(str, range(-3, 7))]


def test_only_a_terminal_cuts_lines_and_shows_where(
    command: Command, record: Callable[..., None], project: Project, tmp_path: Path
) -> None:
    """What is piped is whole: whoever searches it finds all that there is."""
    record({"message": f"{'long ' * 100}reason"})
    assert command("logs", COLUMNS="80").stdout.endswith("long reason\n")
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, 100))
    environment = project.environment(tmp_path, NO_COLOR="1")
    subprocess.run([project.command, "logs"], env=environment, stdout=writer, check=True)
    head, _, line, *_ = os.read(reader, 65_536).decode().splitlines()
    for descriptor in (reader, writer):
        os.close(descriptor)
    assert head.split()[-1] == "details"
    assert (len(line), line[-1]) == (100, "…")


def test_a_call_is_shown_with_its_arguments(command: Command, record: Callable[..., None]) -> None:
    """Behind the reason of its failure; a call without any, and what is no call, are as they are."""
    call = {"log_type": "tool_execution", "tool_name": "divide", "status": "error", "error_message": "by zero"}
    record(
        {"message": "divide: a line"},
        call | {"input_args": {"a": 1, "b": "ä\n"}},
        call | {"input_args": {"a": "x" * 100}},
        call | {"input_args": {}},
    )
    head, *lines = command("logs").stdout.splitlines()
    shown = {line.split(maxsplit=len(head.split()) - 1)[-1] for line in lines}
    assert shown == {"divide: a line", 'by zero  a=1 b="ä\\n"', f'by zero  a="{"x" * 100}"', "by zero"}


def test_what_is_followed_stands_below_the_head(record: Callable[..., None], project: Project, tmp_path: Path) -> None:
    """Whatever comes after it, and however much there was before."""
    call: dict[str, Any] = {"log_type": "tool_execution", "tool_name": "divide"}
    call |= {"status": "validation_error", "duration_ms": 12345.6}
    entries: dict[str, dict[str, Any]] = {
        "first": {"message": "first"},
        "second": call | {"error_message": "second"},
        "third": {"message": "third", "level": "CRITICAL"},
    }
    with following(project, tmp_path) as line:
        column = line().index("details")
        for text, entry in entries.items():
            record({"correlation_id": "0" * 32, **entry})
            assert line()[column:] == f"{text}\n"


def test_what_is_followed_may_come_behind_a_clock_ahead(record: Any, project: Project, tmp_path: Path) -> None:
    """However many entries the clock has stamped before it was set back."""
    record(*({"message": "ahead", "timestamp": NOW + timedelta(days=1, seconds=number)} for number in range(1_500)))
    with following(project, tmp_path, "--limit", "1") as line:
        assert [line().split()[-1] for _ in range(2)] == ["details", "ahead"]
        for message in ("first", "second"):
            record({"message": message, "timestamp": datetime.now(UTC)})
            assert line().endswith(f"{message}\n")


@contextmanager
def following(project: Project, folder: Path, *options: str) -> Iterator[Callable[[], str]]:
    """Run `logs --follow`, and give what waits for its next line; that is empty where none comes."""
    command = [project.command, "logs", "--follow", *options]
    environment = project.environment(folder)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        patience = Timer(30, process.kill)
        patience.start()
        yield process.stdout.readline
        patience.cancel()
        process.kill()
