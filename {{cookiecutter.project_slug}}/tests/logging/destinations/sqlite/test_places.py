"""Where the SQLite file cannot be: tools run, and one sentence says which path cannot be used, why, and what to do."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers import program_path
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from other_users import bound_by_permissions

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE
from {{cookiecutter.project_slug}}.logging.destinations.sqlite.errors import NAME_ANOTHER

from .sqlite_helpers import alter, without_home

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Run = Callable[..., subprocess.CompletedProcess[str]]

CALL = ["call", "say", "text=hi"]


async def test_a_user_without_a_home_folder_is_served(tmp_path: Path) -> None:
    """The server answers requests over stdio; stderr says once that local entries are not kept."""
    command, *arguments = [*without_home(), sys.executable, "-m", PACKAGE]
    server = StdioServerParameters(command=command, args=arguments, cwd="/")
    with (tmp_path / "stderr").open("w") as stderr:
        async with Client(stdio_client(server, errlog=stderr)) as client:
            await client.list_tools()
    (shown,) = [line for line in (tmp_path / "stderr").read_text().splitlines() if "SQLITE_PATH" in line]
    sentence = f"SQLITE_PATH is '~/{PACKAGE}/logs.db', but this user has no home folder: use the full path of a file"
    assert shown == f"sqlite gets no entries: {sentence}" or (command == "env" and NAME_ANOTHER in shown)


def make_folder(path: Path) -> None:
    """Create a folder in the file's place."""
    path.mkdir(parents=True)


def make_parent_a_file(path: Path) -> None:
    """Create a file in the folder's place."""
    path.parent.touch()


def make_pipe(path: Path) -> None:
    """Create a named pipe in the file's place."""
    path.parent.mkdir()
    os.mkfifo(path)


def make_loop(path: Path) -> None:
    """Create a link to itself in the file's place."""
    path.parent.mkdir()
    path.symlink_to(path)


def lock_folder(path: Path) -> None:
    """Create the folder, which may be read but not written."""
    path.parent.mkdir(mode=0o500)


def lock_file(path: Path) -> None:
    """Create a file that nobody may read or write."""
    path.parent.mkdir()
    path.touch(mode=0)


def lock_journal(path: Path) -> None:
    """Create a database whose journal nobody may read or write."""
    path.parent.mkdir()
    alter(path, "PRAGMA journal_mode = WAL")
    Path(f"{path}-wal").touch(mode=0)


VISIBLE: dict[str, tuple[Callable[[Path], None], str]] = {
    "a folder": (make_folder, "{path} is a folder, not a file"),
    "a file as folder": (make_parent_a_file, "{path} cannot be used: File exists ({path.parent})"),
    "a pipe": (make_pipe, "{path} is a pipe, not a file"),
    "a loop": (make_loop, "{path} cannot be used: Too many levels of symbolic links"),
}
"""Obstacles for root, too."""
OBSTACLES = {
    **VISIBLE,
    "a locked folder": (lock_folder, "{path} cannot be used: Permission denied"),
    "a locked file": (lock_file, "{path} cannot be used: this user may not read and write {path}"),
    "a locked journal": (lock_journal, "{path} cannot be used: this user may not read and write {path}-wal"),
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configure a file in a folder that does not exist yet."""
    monkeypatch.setenv("SQLITE_PATH", str(tmp_path / "data" / "logs.db"))
    return tmp_path / "data" / "logs.db"


@pytest.mark.parametrize(("obstruct", "sentence"), OBSTACLES.values(), ids=OBSTACLES)
def test_tools_run_although_the_file_cannot_be_used(
    obstruct: Callable[[Path], None], sentence: str, path: Path, serve_arguments: list[str], run: Run
) -> None:
    """One line on stderr says why."""
    obstruct(path)
    done = run(*bound_by_permissions(), *serve_arguments, *CALL)
    assert (done.returncode, done.stdout) == (0, "hi\n")
    (line,) = [line for line in done.stderr.splitlines() if " ERROR " in line]
    assert f" sqlite: {sentence.format(path=path)}: {NAME_ANOTHER} (" in line


@pytest.mark.parametrize(("obstruct", "sentence"), VISIBLE.values(), ids=VISIBLE)
def test_logs_and_doctor_fail_if_the_file_cannot_be_used(
    obstruct: Callable[[Path], None], sentence: str, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They say why; `logs` does not wait for the other end of a pipe."""
    obstruct(path)
    assert main(["logs"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.startswith(str(path)), NAME_ANOTHER in err) == ("", True, True)
    assert main(["doctor"]) == 1
    assert f"FAIL  sqlite: {sentence.format(path=path)}: {NAME_ANOTHER}\n" in capsys.readouterr().out


@pytest.mark.parametrize("verb", ["logs", "doctor"])
def test_logs_and_doctor_fail_if_this_user_may_not_use_the_file(
    verb: str, path: Path, serve_arguments: list[str], run: Run
) -> None:
    """The sentence says what may not be read and written."""
    lock_file(path)
    done = run(*bound_by_permissions(), *serve_arguments, verb)
    assert done.returncode == 1
    sentence = f"{path} cannot be used: this user may not read and write {path}: {NAME_ANOTHER}\n"
    assert sentence in (done.stderr if verb == "logs" else done.stdout)


@pytest.mark.parametrize("home", ["/dev/null", "missing/home", "locked"])
def test_tools_run_without_a_usable_home_folder(
    home: str, tmp_path: Path, serve_arguments: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`logs` does not say that there are no entries, because none can be kept."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", home if home.startswith("/") else str(locked / home))
    command = [*bound_by_permissions(), *serve_arguments]
    called = run(*command, *CALL)
    assert (called.returncode, called.stdout) == (0, "hi\n")
    assert [NAME_ANOTHER in line for line in called.stderr.splitlines() if " ERROR " in line] == [True]
    listed = run(*command, "logs")
    assert (listed.returncode, listed.stdout) == (1, "")
    assert f"logs.db does not exist and cannot be created in {'/dev/null' if home == '/dev/null' else locked}" in (
        listed.stderr
    )


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("~no-such-user/logs.db", "there is no user 'no-such-user'"),
        ("logs.db", "the working folder does not exist"),
    ],
)
def test_a_path_that_leads_nowhere_is_reported_by_every_verb(
    path: str,
    reason: str,
    isolated: Path,
    serve_arguments: list[str],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`call` runs the tool, `logs` and `doctor` fail."""
    monkeypatch.setenv("SQLITE_PATH", path)
    sentence = f"SQLITE_PATH is '{path}', but {reason}: use the full path of a file\n"
    done = run(program_path("run_in_folder"), str(isolated), "removed", sys.executable, *serve_arguments, *CALL)
    assert (done.returncode, done.stdout) == (0, "hi\n")
    assert done.stderr.count(f"sqlite gets no entries: {sentence}") == 1
    assert main(["logs"]) == 2
    assert capsys.readouterr() == ("", sentence)
    assert main(["doctor"]) == 1
    assert f"FAIL  sqlite: {sentence}" in capsys.readouterr().out


def test_stdin_is_never_the_file(serve_arguments: list[str], run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite would read the requests of the client."""
    monkeypatch.setenv("SQLITE_PATH", "/dev/stdin")
    done = run(*serve_arguments, *CALL, input="x" * 4_096)
    assert (done.returncode, done.stdout) == (0, "hi\n")
    assert "/dev/stdin is a pipe, not a file" in done.stderr


def test_a_path_may_contain_any_bytes(tmp_path: Path, serve_arguments: list[str], run: Run) -> None:
    """Of a variable and of an option; the file has exactly that name."""
    path = tmp_path / os.fsdecode(b"caf\xe9 ?#%41.db")
    option = ["--sqlite-path", str(path)]
    assert run(*serve_arguments, *CALL, *option).stdout == "hi\n"
    assert path.exists()
    listed = run(*serve_arguments, "logs", "--tool", "say", env={**os.environ, "SQLITE_PATH": str(path)})
    assert (listed.returncode, " say " in listed.stdout) == (0, True)
