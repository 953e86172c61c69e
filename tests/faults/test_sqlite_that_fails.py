"""A SQLite file that cannot be written to: the server runs on, says so, and takes up again when it can."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import resource
import sqlite3
import time
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.measure import BLOCK, LAG_LIMIT, Comparison, check_lag, check_unharmed
from tests.support.servers import StdioServer, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

pytestmark = [pytest.mark.anyio, pytest.mark.alone]
LINES = 500
LOCKED = 20.0
"""Seconds the file is locked."""
PARTS = 20
"""Calls in which each of four servers logs."""
FEW = 20
"""Lines between two blocks of calls while it is."""
SLOWER = 100
"""Milliseconds that the slowest call may take longer than the slowest without logging."""
AGAIN = 30.0
"""Seconds after which a complaint is repeated."""
LARGE = {"LOG_BUFFER_SIZE": "50000"}
"""Room for all that is logged while nothing can be written."""
PR_CAPBSET_DROP = 24
CAPABILITIES = (1, 2, 3)
"""What lets root write where nobody may: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER."""
ROOM = {"for nothing": 32_768, "for a few batches": 400_000}
"""Bytes a file may have on the disk that is full: less than the table takes, or enough for some entries."""


def _has_lines(server: StdioServer, text: str, count: int) -> bool:
    return server.lines(text) == count


async def check_arrived(server: StdioServer, *texts: str, count: int = LINES) -> None:
    """Wait until every line is in the file, and check that none was given up."""
    for text in texts:
        await until(partial(_has_lines, server, text, count), f"every line of {text} is in the file")
    counters = await server.counters("sqlite")
    assert counters["dropped"] == counters["failed"] == 0, counters


@dataclass
class Locked:
    """What was seen while another process held the file."""

    lags: list[float] = field(default_factory=list)
    """Milliseconds that the event loop was late, for each block of calls."""
    calls: Comparison = field(default_factory=Comparison)
    texts: list[str] = field(default_factory=list)
    """What the lines begin with that were logged meanwhile."""

    @property
    def lag(self) -> float:
        """Return the worst lag but for two blocks: who waits for a lock is late in many, on a busy machine in some."""
        return sorted(self.lags)[-3]

    @property
    def harms_nobody(self) -> bool:
        """Tell whether neither p99, nor any single call, nor the event loop shows it."""
        slower = max(self.calls.times) - max(self.calls.against)
        return self.calls.holds and slower <= SLOWER and self.lag <= LAG_LIMIT * self.calls.ordinary


async def test_a_file_that_is_locked_for_twenty_seconds_delays_no_tool(
    project: Project, folder: Path, bare: StdioServer
) -> None:
    """In all that time the event loop is not late, and no call waits; every line arrives afterwards."""
    async with StdioServer(project, folder / "server", **LARGE) as server:
        await server.call("say", count=LINES, text="before")
        await check_arrived(server, "before")
        await Comparison().add(server, bare, calls=BLOCK)
        seen = await _lock(server, bare, "first")
        if not seen.harms_nobody:  # the machine has other things to do as well
            await check_arrived(server, *seen.texts, count=FEW)
            seen = await _lock(server, bare, "second")
        is_well = seen.harms_nobody
        assert is_well, f"the event loop was {seen.lag:.0f} ms late; {seen.calls}"
        await check_arrived(server, *seen.texts, count=FEW)
        assert server.lines("before") == LINES
    assert 1 <= _complaints(server) <= 3


async def _lock(server: StdioServer, bare: StdioServer, name: str) -> Locked:
    """Lock the file, and log and call all the time."""
    seen = Locked()
    with closing(sqlite3.connect(server.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        end = time.monotonic() + LOCKED
        await server.call("lag")
        while time.monotonic() < end:
            seen.texts.append(f"{name}-{len(seen.texts)}")
            await server.call("say", count=FEW, text=seen.texts[-1])
            await seen.calls.add(server, bare, calls=BLOCK)
            seen.lags.append(await server.call("lag"))
        assert (await server.counters("sqlite"))["queued"] >= len(seen.texts) * (FEW + BLOCK)
        other.execute("ROLLBACK")
    logging.getLogger(__name__).info("locked: lag %.0f ms, %s", max(seen.lags), seen.calls)
    return seen


@pytest.mark.parametrize("room", ROOM)
async def test_a_disk_that_is_full_is_used_again_when_there_is_room(
    project: Project, folder: Path, bare: StdioServer, room: str
) -> None:
    """The limit is one on the size of files; it is said once, tools go on, and what waited arrives in the end."""
    server = StdioServer(project, folder / "server", LOG_LEVEL="WARNING", **LARGE)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    server.confine = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (ROOM[room], hard))
    async with server:
        begin = time.monotonic()
        for _ in range(4):
            await server.call("emit", count=LINES)
        await until(partial(_complains, server), "the disk is full")
        rounds = await check_unharmed(server, bare, lambda _: server.call("emit", count=LINES))
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        calls = 4 + len(rounds)
        await until(lambda: server.stored("tool_name = 'emit'") == calls * (LINES + 1), "every entry is in the file")
        counters = await server.counters("sqlite")
        assert counters["dropped"] == counters["failed"] == 0, counters
        await check_said_once(server, begin)


async def test_a_folder_that_is_read_only_is_used_when_it_no_longer_is(
    project: Project, folder: Path, bare: StdioServer
) -> None:
    """The server starts all the same, and says once what is wrong."""
    closed = folder / "closed"
    server = StdioServer(project, folder / "server", SQLITE_PATH=str(closed / "logs.db"), **LARGE)
    server.database = closed / "logs.db"
    server.confine = _be_nobody_special
    closed.mkdir(mode=0o500)
    begin = time.monotonic()
    async with server:
        await until(partial(_complains, server), "the server notices")
        rounds = await check_unharmed(server, bare, lambda text: server.call("say", count=LINES, text=text))
        assert not server.database.exists()
        closed.chmod(0o700)
        await check_arrived(server, *rounds)
        await check_said_once(server, begin)


REASONS = {"replaced by a database": "a database of another program", "replaced by nonsense": "not a database"}


@pytest.mark.parametrize(
    "how", ["deleted", "moved", "replaced by a database", "replaced by nonsense", "its folder deleted"]
)
async def test_a_file_that_is_taken_away_is_made_anew(project: Project, folder: Path, how: str) -> None:
    """What is logged afterwards is in the file that has the name then; the event loop is not late."""
    async with StdioServer(project, folder, SQLITE_PATH=str(folder / "data" / "logs.db")) as server:
        server.database = folder / "data" / "logs.db"
        await server.call("say", count=LINES, text="before")
        await check_arrived(server, "before")

        async def take_away(text: str) -> None:
            _take_away(server.database, how)
            await server.call("say", count=LINES, text=text)
            if how in REASONS:
                await until(partial(_complains, server, REASONS[how]), "the server notices")
                server.database.unlink()
            await check_arrived(server, text)

        await check_lag(server, take_away)


async def test_a_file_whose_pages_are_damaged_is_no_reason_to_stop(
    project: Project, folder: Path, bare: StdioServer
) -> None:
    """Entries wait while SQLite says it is malformed, and arrive when somebody moves it away."""
    async with StdioServer(project, folder / "server", **LARGE) as server:
        await server.call("say", count=LINES, text="before")
        await check_arrived(server, "before")
        with closing(sqlite3.connect(server.database)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with server.database.open("r+b") as file:
            file.write(b"\x5a" * server.database.stat().st_size)
        await server.call("say", count=LINES, text="after")
        await until(partial(_complains, server), "the server notices")
        rounds = await check_unharmed(server, bare, lambda text: server.call("say", count=LINES, text=text))
        for part in server.folder.glob("logs.db*"):
            part.rename(folder / f"damaged-{part.name}")
        await check_arrived(server, "after", *rounds)


async def test_four_servers_share_one_file(project: Project, folder: Path) -> None:
    """All of them write 2,000 lines at once: nothing is lost, and no event loop is late because of the others."""
    shared = folder / "shared.db"
    async with AsyncExitStack() as stack:
        servers = [StdioServer(project, folder / str(number), SQLITE_PATH=str(shared)) for number in range(4)]
        for server in servers:
            server.database = shared
        await asyncio.gather(*map(stack.enter_async_context, servers))

        async def say(text: str) -> None:
            await asyncio.gather(*(_say(server, f"{text}-{number}") for number, server in enumerate(servers)))

        rounds = await check_lag(servers[0], say)
        for server in servers:
            await server.end()
        texts = [f"{text}-{number}-{part}" for text in rounds for number in range(4) for part in range(PARTS)]
        assert [servers[0].lines(text) for text in texts] == [LINES // 5] * len(texts)


async def _say(server: StdioServer, text: str) -> None:
    """Log 2,000 lines, a hundred at a time."""
    for part in range(PARTS):
        await server.call("say", count=LINES // 5, text=f"{text}-{part}")


async def _complains(server: StdioServer, about: str = "") -> bool:
    error = (await server.counters("sqlite"))["last_error"]
    return error is not None and about in error


def _complaints(server: StdioServer) -> int:
    """Return how many lines on stderr say that the file cannot be written to."""
    return sum(" sqlite: " in line and "entries wait" in line for line in server.stderr_text().splitlines())


async def check_said_once(server: StdioServer, begin: float) -> None:
    """Check that one line says it, and one that it is over; one more is due where the test took that long."""
    over = " sqlite: delivering again after "
    await until(lambda: over in server.stderr_text(), "stderr says that it is over")
    said = [line for line in server.stderr_text().splitlines() if " sqlite: " in line]
    assert 1 <= _complaints(server) <= 1 + (time.monotonic() - begin) // AGAIN, said
    assert sum(over in line for line in said) == 1, said


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
        case "replaced by a database":
            with closing(sqlite3.connect(file)) as other:
                other.execute("CREATE TABLE something (else_ TEXT)")
        case "replaced by nonsense":
            file.write_bytes(b"this is no database, it is only called like one" * 100)
        case "its folder deleted":
            file.parent.rmdir()
