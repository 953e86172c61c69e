"""Every way to end but SIGKILL delivers what healthy destinations were given, within the drain deadline.

FAULTS_RUNS is how often each exit is tried (2; the promise was checked with 20).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.exits import DRAIN, TEARDOWN, forget, until_open
from tests.support.http_stub import HttpStub
from tests.support.servers import HttpServer, Server, StdioServer, until
from tests.support.settings import faulty, http_backends

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.project import Project

FIXTURES = Path(__file__).with_name("fixtures")

pytestmark = pytest.mark.anyio
RUNS = int(os.environ.get("FAULTS_RUNS", "2"))
LINES = 2_000
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
HANGING = ("Hanging", "Clinging", "InExecutor")

HOW: dict[str, tuple[type[StdioServer | HttpServer], signal.Signals | None, int]] = {
    "stdio-EOF": (StdioServer, None, 0),
    **{f"stdio-{number.name}": (StdioServer, number, 128 + number) for number in SIGNALS},
    **{f"http-{number.name}": (HttpServer, number, 128 + number) for number in SIGNALS},
}
DEAF = ("block", "delegate", "persist")
"""Tools that run on in a thread of theirs, in one of asyncio's, or although they are cancelled."""
GREEDY = ("hold_up", "spin")
"""Tools that hold up the event loop, with `time.sleep` or with a loop of their own."""
UNSTOPPABLE = [
    *(("stdio-EOF", tool) for tool in DEAF),
    *((how, tool) for how in ("stdio-SIGTERM", "http-SIGTERM") for tool in (*DEAF, *GREEDY)),
    *(("stdio-SIGINT", tool) for tool in GREEDY),
]


@pytest.mark.parametrize("how", HOW)
async def test_every_exit_delivers_everything(project: Project, folder: Path, how: str) -> None:
    """2,000 of 2,000 lines reach SQLite and two healthy backends; a call that still runs is recorded as cancelled."""
    kind, number, expected = HOW[how]
    for run in range(RUNS):
        async with HttpStub() as stub, kind(project, folder / str(run), **http_backends(stub.port)) as server:
            await until_open(server, "sqlite", "convex", "elasticsearch")
            running = asyncio.ensure_future(server.request("sleep", {"seconds": 60}))
            await server.call("say", count=LINES)
            code, seconds = await server.end(number)
            await forget(running)
            assert code == expected
            assert seconds <= DRAIN + TEARDOWN
            found = [server.lines(), stub.lines("convex"), stub.lines("elasticsearch")]
            assert found == [LINES] * 3, f"run {run}: {found}\n{server.stderr_text()[-2_000:]}"
            assert server.stored("tool_name = 'say' AND status = 'success'") == 1
            assert server.stored("tool_name = 'sleep' AND status = 'cancelled'") == 1
            assert "Traceback" not in server.stderr_text()


@pytest.mark.parametrize("how", HOW)
async def test_a_destination_that_hangs_delays_an_exit_by_the_deadline_at_most(
    project: Project, folder: Path, how: str
) -> None:
    """2,000 of 2,000 lines reach SQLite while others hang, cling or block a thread, and nobody waits for them."""
    kind, number, expected = HOW[how]
    for run in range(RUNS):
        async with kind(project, folder / str(run), **faulty(*HANGING)) as server:
            await server.call("say", count=LINES)
            code, seconds = await server.end(number)
            assert code == expected
            assert seconds <= DRAIN + TEARDOWN
            assert server.lines() == LINES, f"run {run}\n{server.stderr_text()[-2_000:]}"
            for name in ("hanging", "clinging", "in executor"):
                assert f"{name}: written 0" in server.stderr_text()


@pytest.mark.parametrize(("how", "tool"), UNSTOPPABLE)
async def test_a_tool_that_cannot_be_stopped_is_recorded_and_not_waited_for(
    project: Project, folder: Path, how: str, tool: str
) -> None:
    """It runs on in its thread, or holds up the event loop and with it signals: its call is in SQLite, with its id."""
    kind, number, expected = HOW[how]
    async with kind(project, folder) as server:
        await server.call("say", count=LINES)
        running = asyncio.ensure_future(server.request(tool, {"seconds": 30}))
        await until(lambda: server.stored("message = 'blocking'") == 1, "the tool runs")
        code, seconds = await server.end(number)
        await forget(running)
        assert code == expected
        assert seconds <= DRAIN + TEARDOWN
        assert [server.lines(), server.lines("spun")] == [LINES, LINES if tool == "spin" else 0]
        assert server.stored(f"tool_name = '{tool}' AND status = 'cancelled' AND length(correlation_id) = 32") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
async def test_a_signal_that_was_ignored_at_the_start_stays_ignored(
    project: Project, folder: Path, number: signal.Signals
) -> None:
    """`nohup` and a shell's background jobs ask for that, and other signals still end the server in order."""

    def ignore() -> None:
        signal.signal(number, signal.SIG_IGN)

    server = HttpServer(project, folder)
    server.confine = ignore
    async with server:
        server.process.send_signal(number)
        await server.call("say", count=LINES)
        code, _ = await server.end(signal.SIGTERM)
        assert code == 128 + signal.SIGTERM
        assert server.lines() == LINES


async def test_the_end_of_stdin_is_an_end_in_order(project: Project, folder: Path) -> None:
    """Where nothing holds it up, the interpreter ends by itself: what a tool registered with `atexit` is run."""
    path = folder / "at_exit.txt"
    async with StdioServer(project, folder) as server:
        await server.call("at_exit", path=str(path))
        assert (await server.end())[0] == 0
    assert path.read_text() == "ended"


@pytest.mark.parametrize("deadline", [200, 3_000])
async def test_the_drain_deadline_is_configured(project: Project, folder: Path, deadline: int) -> None:
    """LOG_DRAIN_TIMEOUT_MS is how long a signal may take; half of it is used at least where something hangs."""
    settings = {**faulty("Hanging"), "LOG_DRAIN_TIMEOUT_MS": str(deadline)}
    async with StdioServer(project, folder, **settings) as server:
        await server.call("say", count=LINES)
        code, seconds = await server.end(signal.SIGTERM)
        assert code == 143
        assert deadline / 2_000 <= seconds <= deadline / 1_000 + TEARDOWN
        assert server.lines() == LINES


@pytest.mark.parametrize("kind", [StdioServer, HttpServer])
async def test_an_unhandled_exception_delivers_everything(
    project: Project, folder: Path, kind: Callable[..., Server]
) -> None:
    """SystemExit in the event loop ends the server with its code, although a thread still waits for stdin."""
    for run in range(RUNS):
        async with kind(project, folder / str(run), **faulty("Hanging")) as server:
            running = asyncio.ensure_future(server.request("delegate", {"seconds": 60}))
            await server.call("say", count=LINES)
            leaving = asyncio.ensure_future(server.request("leave", {"code": 3}))
            assert await asyncio.wait_for(server.process.wait(), DRAIN + 2 * TEARDOWN) == 3
            await forget(running)
            await forget(leaving)
            assert server.lines() == LINES
            assert server.stored("tool_name = 'delegate' AND status = 'cancelled'") == 1


@pytest.mark.parametrize(("end", "code"), [("end", 0), ("sys.exit", 4), ("exception", 1), ("thread", 0)])
def test_a_script_delivers_what_it_logged_when_it_ends(project: Project, folder: Path, end: str, code: int) -> None:
    """All it needs is `UnifiedLogger.initialize`, also if it ends with an exception while a destination hangs."""
    done = project.run_python(folder, FIXTURES / "script.py", end)
    assert done.returncode == code, done.stderr
    with closing(sqlite3.connect(folder / "logs.db")) as connection:
        found = [message for (message,) in connection.execute("SELECT message FROM unified_logs ORDER BY id")]
    assert found == [*(f"line {number}" for number in range(LINES)), *(["late 0"] if end == "thread" else [])]


async def test_a_second_signal_does_not_cut_the_drain_short(project: Project, folder: Path) -> None:
    """An impatient Ctrl-C, Ctrl-C and SIGTERM lose nothing."""
    async with StdioServer(project, folder, **faulty("Hanging")) as server:
        await server.call("say", count=LINES)
        ending = asyncio.ensure_future(server.end(signal.SIGINT))
        for number in (signal.SIGINT, signal.SIGTERM):
            await asyncio.sleep(0)
            server.process.send_signal(number)
        code, _ = await ending
        assert code in (130, 143)
        assert server.lines() == LINES


async def test_sigkill_loses_at_most_what_was_in_memory(project: Project, folder: Path) -> None:
    """What was delivered before stays readable, and the next server goes on with the same file."""
    async with StdioServer(project, folder) as server:
        await server.call("say", count=LINES, text="before")
        await until(lambda: server.lines("before") == LINES, "SQLite has what was logged before")
        await server.call("say", count=LINES, text="after")
        await server.end(signal.SIGKILL)
        assert server.lines("before") == LINES
    async with StdioServer(project, folder) as server:
        await server.call("say", count=LINES, text="again")
        await server.end()
        assert server.lines("again") == LINES


async def test_a_stderr_nobody_reads_delays_an_exit_by_the_deadline_at_most(project: Project, folder: Path) -> None:
    """The pipe is full, and everything else is delivered as ever."""
    server = StdioServer(project, folder)
    server.is_read = False
    async with server:
        await server.call("say", count=LINES)
        code, seconds = await server.end()
        assert code == 0
        assert seconds <= DRAIN + TEARDOWN
        assert server.lines() == LINES


async def test_a_session_that_ends_at_once_leaves_everything_in_sqlite(project: Project, folder: Path) -> None:
    """Drivers that are still being imported, or block, hold up nobody else."""
    async with (
        HttpStub() as stub,
        StdioServer(project, folder, **http_backends(stub.port)) as server,
    ):
        await server.call("say", count=LINES)
        await server.end()
        assert server.lines() == LINES


@pytest.mark.parametrize("number", [None, signal.SIGTERM])
async def test_a_destination_that_blocks_its_thread_costs_no_other_destination_an_entry(
    project: Project, folder: Path, number: signal.Signals | None
) -> None:
    """A destination of the user's own that calls `time.sleep` is as bad as one that hangs, and no worse."""
    async with StdioServer(project, folder, **faulty("Blocking")) as server:
        await server.call("say", count=LINES)
        _, seconds = await server.end(number)
        assert seconds <= DRAIN + TEARDOWN
        assert server.lines() == LINES
