"""No server outlives its test process, workers share one, and what fails says what and where."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.backends import BackendError
from tests.backends.cache import cached
from tests.backends.processes import ServerProcess, wait_until

ROOT = Path(__file__).resolve().parents[2]

FIXTURES = Path(__file__).with_name("fixtures")


def test_a_killed_test_process_takes_its_servers_along(tmp_path: Path) -> None:
    """After SIGKILL nothing is left, not even the stopped children of a paused PostgreSQL."""
    with python(str(FIXTURES / "paused_postgres.py"), str(tmp_path)) as test_process:
        server = psutil.Process(int(first_line(test_process)))
        family = [server, *server.children(recursive=True)]
        test_process.kill()

    assert len(family) > 1
    assert wait_until(lambda: not any(process.is_running() for process in family), 10)
    # All that a kill leaves behind, where the server runs as another user.
    shutil.rmtree((tmp_path / "home").resolve())


def test_the_command_prints_addresses_and_stops_on_ctrl_c() -> None:
    """`python -m tests.backends postgres` serves until SIGINT, then leaves nothing."""
    with python("-m", "tests.backends", "postgres") as command:
        line = first_line(command)
        children = psutil.Process(command.pid).children(recursive=True)
        command.send_signal(signal.SIGINT)

        assert command.wait(20) == 0
    assert line.startswith("TEST_POSTGRES_DSN=postgresql://")
    assert wait_until(lambda: not any(process.is_running() for process in children), 10)


def test_workers_share_one_server(tmp_path: Path) -> None:
    """Two workers see the same address, and the server is stopped at the end of the run."""
    shutil.copy(FIXTURES / "shared_address.py", tmp_path / "test_address.py")
    with two_workers(tmp_path, "-q") as run:
        output, _ = run.communicate(timeout=120)

    assert run.returncode == 0, output
    lines = (tmp_path / "addresses").read_text(encoding="utf-8").split()
    assert set(lines[::2]) == {"gw0", "gw1"}
    assert len(set(lines[1::2])) == 1


def test_a_run_in_which_a_backend_cannot_start_fails_and_names_it(tmp_path: Path) -> None:
    """Every test that needs it is an error, in every worker, none is skipped; the others run."""
    shutil.copy(FIXTURES / "broken_backend.py", tmp_path / "test_broken.py")
    with two_workers(tmp_path, "-rA") as run:
        output, _ = run.communicate(timeout=120)

    assert run.returncode == pytest.ExitCode.TESTS_FAILED, output
    assert re.search(r"= 2 passed, 4 errors in ", output.splitlines()[-1]), output
    why = "Convex cannot start: its process ended with exit code 1 before it answered; its log "
    assert output.count(f"\n{why}") == 4, output


def test_a_server_that_cannot_start_is_named_with_its_log(tmp_path: Path) -> None:
    """The error has the name, the reason, the path of the log and its last lines."""
    server = ServerProcess("Teapot 1.0", tmp_path)

    with pytest.raises(BackendError) as caught:
        server.start([sys.executable, "-c", "print('short and stout'); raise SystemExit(3)"], lambda: False)

    first, *log = str(caught.value).splitlines()
    assert first == (
        "Teapot 1.0 cannot start: its process ended with exit code 3 before it answered; "
        f"its log {tmp_path / 'server.log'} ends:"
    )
    assert log == ["short and stout"]


def test_an_interrupted_download_leaves_nothing(tmp_path: Path) -> None:
    """What is not complete is not in the cache, and is begun again."""

    def interrupted(folder: Path) -> None:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached("thing", interrupted, root=tmp_path)

    assert not (tmp_path / "thing").exists()
    assert list(cached("thing", lambda folder: (folder / "whole").touch(), root=tmp_path).iterdir()) == [
        tmp_path / "thing" / "whole"
    ]


def test_a_download_that_several_want_is_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Others wait for the first; stderr gets one line at the start and one at the end."""
    built: list[Path] = []
    together = threading.Barrier(4)

    def ask() -> Path:
        together.wait()
        return cached("thing", built.append, root=tmp_path)

    with ThreadPoolExecutor(4) as pool:
        answers = [future.result() for future in [pool.submit(ask) for _ in range(4)]]

    assert set(answers) == {tmp_path / "thing"}
    assert len(built) == 1
    assert len(capsys.readouterr().err.splitlines()) == 2


def two_workers(folder: Path, option: str) -> subprocess.Popen[str]:
    """Start a run of the tests in a folder, each by two workers."""
    options = ("-p", "tests.backends.plugin", "-n", "2", "--dist", "each", option)
    places = (f"--rootdir={folder}", f"--basetemp={folder / 'own'}")
    return python("-m", "pytest", *options, *places, ".", folder=folder)


def python(*arguments: str, folder: Path = ROOT) -> subprocess.Popen[str]:
    """Start Python with this checkout importable, and without what pytest-xdist tells its workers."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        cwd=folder,
        env={**environment, "PYTHONPATH": os.fspath(ROOT)},
        text=True,
    )


def first_line(process: subprocess.Popen[str]) -> str:
    """Return the first line that a process prints."""
    return process.stdout.readline() if process.stdout else ""
