"""Child processes of tools, started in every way there is, neither end the server nor outlive it.

FAULTS_RUNS is how often each of the promises is tried (2; they were checked with 20).
"""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.exits import DRAIN, TEARDOWN
from tests.support.servers import HttpServer, Server, StdioServer, until

from .test_exits import RUNS

if TYPE_CHECKING:
    from tests.support.project import Project

pytestmark = pytest.mark.anyio
CHILDREN = {"PROBE_CHILDREN": "1", "PYTHONWARNINGS": "ignore"}
"""Python 3.12 warns about forks."""
KINDS: tuple[type[StdioServer | HttpServer], ...] = (StdioServer, HttpServer)
METHODS = ("fork", "spawn", "forkserver")
SQUARES = [0, 1, 4, 9, 16]
KEYBOARD_INTERRUPT = 99
ENDS = [(StdioServer, None, 0), (StdioServer, signal.SIGTERM, 143), (HttpServer, signal.SIGTERM, 143)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
async def test_a_server_whose_tool_uses_processes_goes_on_serving(
    project: Project, folder: Path, kind: type[Server], method: str
) -> None:
    """A pool's end and `Process.terminate()` send SIGTERM, which ends the children alone."""
    async with kind(project, folder, **CHILDREN) as server:
        for _ in range(RUNS):
            assert await server.call("pool", method=method) == SQUARES
            assert await server.call("executor", method=method) == SQUARES
            assert await server.call("terminate_process", method=method) == -signal.SIGTERM
        code, _ = await server.end()
        assert code == (0 if kind is StdioServer else 143)
        assert "Traceback" not in server.stderr_text()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tool", ["signal_child", "signal_child_in_loop"])
async def test_a_signal_ends_only_the_forked_child_that_gets_it(
    project: Project, folder: Path, kind: type[Server], tool: str
) -> None:
    """Each signal that the server handles, once the child runs and while it is forked."""
    async with kind(project, folder, **CHILDREN) as server:
        for _ in range(RUNS):
            for number in (signal.SIGTERM, signal.SIGHUP):
                assert await server.call(tool, number=number) == -number
                assert await server.call(tool, number=number, at_once=True) == -number
            assert await server.call(tool, number=signal.SIGINT) == KEYBOARD_INTERRUPT
            assert await server.call(tool, number=signal.SIGINT, at_once=True) in {-signal.SIGINT, KEYBOARD_INTERRUPT}
        await server.end()


@pytest.mark.parametrize(("kind", "number", "expected"), ENDS)
@pytest.mark.parametrize("method", METHODS)
async def test_children_that_are_left_behind_end_with_the_server(
    project: Project, folder: Path, method: str, kind: type[Server], number: signal.Signals | None, expected: int
) -> None:
    """Processes, daemons or not, pools and executors: within the drain deadline, and a second later none is there."""
    for run in range(RUNS):
        async with kind(project, folder / str(run), **CHILDREN) as server:
            children = await server.call("leave_children", method=method)
            assert len(children) >= 6
            code, seconds = await server.end(number)
            assert code == expected
            assert seconds <= DRAIN + TEARDOWN
            await until(partial(have_ended, children), "the children have ended", deadline=1)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_forked_child_that_leaves_its_tool_ends(project: Project, folder: Path, kind: type[Server]) -> None:
    """As Python ends a program; the parent alone answers, and records the call once."""
    async with kind(project, folder, **CHILDREN) as server:
        for tool in ("end_child", "end_child_in_loop"):
            for how, code in (("os._exit", 4), ("sys.exit", 3), ("raise", 1), ("return", 0)):
                assert await server.call(tool, how=how) == code
            assert await server.call("echo", text="after") == "after"
        await server.end()
        for tool in ("end_child", "end_child_in_loop"):
            assert server.stored(f"tool_name = '{tool}' AND status IS NOT NULL") == 4
        assert server.stored("level = 'ERROR' AND traceback LIKE '%LookupError: raise%'") == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_other_ways_to_start_programs_and_to_use_signals(
    project: Project, folder: Path, kind: type[Server]
) -> None:
    """`posix_spawn`, `preexec_fn`, a loop in a child, a SIGCHLD handler, `faulthandler`, SIGPIPE, stop and go on."""
    async with kind(project, folder, **CHILDREN) as server:
        for how in ("posix_spawn", "preexec_fn", "Popen"):
            assert await server.call("spawn_program", how=how) == -signal.SIGTERM
        for tool in ("run_asyncio_in_child", "run_asyncio_in_child_of_loop"):
            assert await server.call(tool) == 20
        assert await server.call("handle_sigchld") >= 1
        await server.call("dump_traceback")
        assert "most recent call first" in server.stderr_text()
        server.process.send_signal(signal.SIGPIPE)
        server.process.send_signal(signal.SIGSTOP)
        await until(lambda: state_of(server.process.pid) == "T", "the server is stopped")
        server.process.send_signal(signal.SIGCONT)
        assert await server.call("echo", text="after") == "after"
        code, _ = await server.end()
        assert code == (0 if kind is StdioServer else 143)


@pytest.mark.parametrize(("name", "number"), [("SIGUSR1", signal.SIGUSR1), ("SIGQUIT", signal.SIGQUIT)])
async def test_other_signals_end_the_server_at_once(
    project: Project, folder: Path, name: str, number: signal.Signals
) -> None:
    """They are left to the operating system; what was in memory is lost, and the SQLite file is sound."""
    async with StdioServer(project, folder) as server:
        await server.call("say", count=1, text=name)
        await until(lambda: server.lines(name) == 1, "SQLite has the line")
        code, _ = await server.end(number)
        assert code == -number


def have_ended(process_ids: list[int]) -> bool:
    """Return whether none of the processes runs."""
    return all(state_of(each) in ("", "Z", "X") for each in process_ids)


def state_of(process_id: int) -> str:
    """Return the letter for what a process does, or nothing where there is none."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
