"""A SQLite file that cannot be written to: the server runs on, says so, and takes up again when it can."""

from __future__ import annotations

import asyncio
import ctypes
import resource
import sqlite3
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import pytest

from .measure import LAG_LIMIT, best_comparison, worst_lag
from .servers import StdioServer, until

if TYPE_CHECKING:
    from pathlib import Path

    from .project import Project

pytestmark = pytest.mark.anyio
LINES = 500
LOCKED = 20.0
"""Seconds the file is locked."""
PR_CAPBSET_DROP = 24
CAPABILITIES = (1, 2, 3)
"""What lets root write where nobody may: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER."""
SMALL = 400_000
"""Bytes a file may have on the disk that is full."""


def _has_lines(server: StdioServer, text: str) -> bool:
    return server.lines(text) == LINES


async def check_arrived(server: StdioServer, *texts: str) -> None:
    """Wait until every line is in the file, and check that none was given up."""
    for text in texts:
        await until(partial(_has_lines, server, text), f"every line of {text} is in the file")
    counters = await server.counters("sqlite")
    assert counters["dropped"] == counters["failed"] == 0, counters


@pytest.mark.alone
async def test_a_file_that_is_locked_for_twenty_seconds_delays_no_tool(
    project: Project, folder: Path, bare: StdioServer
) -> None:
    """The event loop is not late, p99 is that of a server without logging, and every line arrives afterwards."""
    async with StdioServer(project, folder / "server") as server:
        await server.call("say", count=LINES, text="before")
        await check_arrived(server, "before")
        with closing(sqlite3.connect(server.database, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            begin = asyncio.get_running_loop().time()
            lag = await worst_lag(server, lambda: server.call("say", count=LINES, text="locked"))
            assert lag <= LAG_LIMIT, f"{lag:.0f} ms"
            comparison = await best_comparison(server, bare)
            assert comparison.holds, str(comparison)
            await server.call("lag")
            await asyncio.sleep(max(0, LOCKED - (asyncio.get_running_loop().time() - begin)))
            assert await server.call("lag") <= LAG_LIMIT * 2
            assert (await server.counters("sqlite"))["queued"] >= LINES
            other.execute("ROLLBACK")
        await check_arrived(server, "before", "locked")
    assert server.said().count("database is locked") <= 3


async def test_a_disk_that_is_full_is_used_again_when_there_is_room(project: Project, folder: Path) -> None:
    """The limit is one on the size of files; tools go on, and what waited arrives when it is lifted."""
    server = StdioServer(project, folder, LOG_LEVEL="WARNING")
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    server.confine = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (SMALL, hard))
    async with server:
        for number in range(4):
            await server.call("emit", count=LINES)
            assert await server.call("echo", text=str(number)) == str(number)

        async def is_full() -> bool:
            return bool((await server.counters("sqlite"))["last_error"])

        await until(is_full, "the disk is full")
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await until(lambda: server.stored("tool_name = 'emit'") == 4 * LINES + 4, "every entry is in the file")
        counters = await server.counters("sqlite")
        assert counters["dropped"] == counters["failed"] == 0, counters


async def test_a_folder_that_is_read_only_is_used_when_it_no_longer_is(project: Project, folder: Path) -> None:
    """The server starts all the same, and says once what is wrong."""
    folder = folder / "server"
    closed = folder / "closed"
    server = StdioServer(project, folder, SQLITE_PATH=str(closed / "logs.db"))
    server.database = closed / "logs.db"
    server.confine = _be_nobody_special
    closed.mkdir(mode=0o500)
    async with server:
        await server.call("say", count=LINES)

        async def is_said() -> bool:
            return bool((await server.counters("sqlite"))["last_error"])

        await until(is_said, "the server notices")
        assert not server.database.exists()
        closed.chmod(0o700)
        await check_arrived(server, "line")
    assert server.said().count("unable to open database file") + server.said().count("Permission denied") <= 2


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced", "replaced by nonsense", "its folder deleted"])
async def test_a_file_that_is_taken_away_is_made_anew(project: Project, folder: Path, how: str) -> None:
    """What is logged afterwards is in the file that has the name then."""
    async with StdioServer(project, folder, SQLITE_PATH=str(folder / "data" / "logs.db")) as server:
        server.database = folder / "data" / "logs.db"
        await server.call("say", count=LINES, text="before")
        await check_arrived(server, "before")
        _take_away(server.database, how)
        await server.call("say", count=LINES, text="after")
        if how == "replaced by nonsense":

            async def is_said() -> bool:
                return "not a database" in str((await server.counters("sqlite"))["last_error"])

            await until(is_said, "the server notices")
            server.database.unlink()
        await check_arrived(server, "after")


async def test_a_file_whose_pages_are_damaged_is_no_reason_to_stop(project: Project, folder: Path) -> None:
    """Entries wait while SQLite says it is malformed, and arrive when somebody moves it away."""
    async with StdioServer(project, folder) as server:
        await server.call("say", count=LINES, text="before")
        await check_arrived(server, "before")
        with closing(sqlite3.connect(server.database)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with server.database.open("r+b") as file:
            file.write(b"\x5a" * server.database.stat().st_size)
        await server.call("say", count=LINES, text="after")

        async def is_said() -> bool:
            return bool((await server.counters("sqlite"))["last_error"])

        await until(is_said, "the server notices")
        for part in folder.glob("logs.db*"):
            part.rename(folder / f"damaged-{part.name}")
        await check_arrived(server, "after")


async def test_four_servers_share_one_file(project: Project, folder: Path) -> None:
    """All of them write 2,000 lines at once, and nothing is lost."""
    shared = folder / "shared.db"
    servers = [StdioServer(project, folder / str(number), SQLITE_PATH=str(shared)) for number in range(4)]
    for server in servers:
        server.database = shared
    await asyncio.gather(*(server.__aenter__() for server in servers))
    try:
        await asyncio.gather(
            *(server.call("say", count=4 * LINES, text=f"server-{number}") for number, server in enumerate(servers))
        )
        for server in servers:
            await server.end()
        assert [servers[0].lines(f"server-{number}") for number in range(4)] == [4 * LINES] * 4
    finally:
        for server in servers:
            await server.__aexit__(None, None, None)


def _be_nobody_special() -> None:
    """Drop what makes permissions meaningless to root; for anybody else there is nothing to drop."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in CAPABILITIES:
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def _take_away(file: Path, how: str) -> None:
    companions = [file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))]
    if how == "moved":
        file.rename(file.with_name("elsewhere.db"))
        return
    for companion in companions:
        companion.unlink(missing_ok=True)
    match how:
        case "replaced":
            with closing(sqlite3.connect(file)) as other:
                other.execute("CREATE TABLE something (else_ TEXT)")
        case "replaced by nonsense":
            file.write_bytes(b"this is no database, it is only called like one" * 100)
        case "its folder deleted":
            file.parent.rmdir()
