"""Tools that look inside the server they run in; planted into the baked project's `tools/`."""

# mypy: disable-error-code="import-not-found,misc,override,attr-defined,no-untyped-call"
from __future__ import annotations

import asyncio
import atexit
import gc
import logging
import logging.config
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baked_server.logging.entries import CallerInfo
from baked_server.logging.unified_logger import UnifiedLogger
from baked_server.server import recording
from loguru import _logger as loguru_logger
from loguru import logger
from mcp.server.mcpserver.exceptions import ToolError

if TYPE_CHECKING:
    from mcp.server import MCPServer

TICK = 0.005
PAGE = os.sysconf("SC_PAGE_SIZE")


class Lag:
    """How late the server's event loop wakes a task that asked for a tick."""

    worst = 0.0
    task: asyncio.Task[None] | None = None

    @classmethod
    async def watch(cls) -> None:
        """Compare asked and got, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            asked = loop.time() + TICK
            await asyncio.sleep(TICK)
            cls.worst = max(cls.worst, loop.time() - asked)


async def lag() -> float:
    """Return the event loop's worst lag in milliseconds since the last call, which starts the watch."""
    if Lag.task is None:
        Lag.task = asyncio.create_task(Lag.watch())
    worst, Lag.worst = Lag.worst, 0.0
    return worst * 1000


async def state() -> dict[str, Any]:
    """Return the counters by destination, the resident memory in MB, and the numbers of threads and frozen objects."""
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE / 1_000_000
    counters = {item.destination: asdict(item) for item in UnifiedLogger.counters()}
    return {
        "counters": counters,
        "resident": resident,
        "threads": threading.active_count(),
        "frozen": gc.get_freeze_count(),
        "pid": os.getpid(),
    }


async def say(count: int, text: str = "line") -> int:
    """Log numbered lines, in turn with loguru and with the standard library."""
    plain = logging.getLogger("application")
    for number in range(count):
        (logger.info if number % 2 else plain.info)(f"{text} {number}")
    return count


def say_from_threads(threads: int, count: int, text: str = "line") -> int:
    """Log numbered lines from several threads at once."""

    def lines(thread: int) -> None:
        for number in range(thread * count, (thread + 1) * count):
            logger.info(f"{text} {number}")

    running = [threading.Thread(target=lines, args=(thread,)) for thread in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return threads * count


def emit(count: int, first: int = 0) -> int:
    """Hand over entries of tool calls as the server makes them, without calling tools, with numbered messages."""
    entries = UnifiedLogger.entries()
    for number in range(first, first + count):
        entry = entries.tool_call(
            tool_name="emit", level="INFO", status="success", timestamp=datetime.now(UTC), duration_ms=1.0,
            input_args=entries.payload({"number": number, "text": f"argument {number}"}),
            output_summary=f"summary {number}", error_message=None, error_type=None, extra_data=None,
            caller=CallerInfo(client_name="suite", request_id=str(number)),
        )  # fmt: skip
        entry.message = f"emit {number}"
        UnifiedLogger.emit(entry)
    return count


def chatter(lines: int) -> int:
    """Print lines of a kilobyte, as tools do that are being debugged."""
    for number in range(lines):
        print(f"{number} {'x' * 1_000}")
    return lines


def configure_stdout() -> str:
    """Configure what `print` writes to, as programs do at their start."""
    sys.stdout.reconfigure(line_buffering=True)
    return sys.stdout.encoding


def fork(count: int, text: str = "child") -> int:
    """Fork a child that logs numbered lines and ends as Python does; return its exit code."""
    child = os.fork()
    if not child:
        code = 1
        try:
            for number in range(count):
                logger.info(f"{text} {number}")
            code = 0 if UnifiedLogger.flush(10) else 2
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def start_process() -> str:
    """Start a program the way that runs Python between fork and exec."""
    command = ["sh", "-c", "echo $$"]
    return subprocess.run(command, preexec_fn=os.getpid, check=True, capture_output=True, text=True).stdout


async def set_clock_back(seconds: float) -> None:
    """Let this process believe that it is earlier than it is."""
    back = timedelta(seconds=seconds)

    class Earlier(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) - back

    recording.datetime = Earlier
    loguru_now = loguru_logger.aware_now
    loguru_logger.aware_now = lambda: loguru_now() - back
    for name, unit in (("time", 1), ("time_ns", 1_000_000_000)):
        original = getattr(time, name)
        setattr(time, name, lambda original=original, unit=unit: original() - int(seconds) * unit)


async def sleep(seconds: float) -> float:
    """Wait."""
    await asyncio.sleep(seconds)
    return seconds


def block(seconds: float) -> float:
    """Say so, and wait in a thread that nothing cancels."""
    logger.info("blocking")
    time.sleep(seconds)
    return seconds


async def delegate(seconds: float) -> None:
    """Say so, and wait for a thread of the event loop's pool."""
    logger.info("blocking")
    await asyncio.to_thread(time.sleep, seconds)


async def persist(seconds: float) -> None:
    """Say so, and wait however often the call is cancelled."""
    logger.info("blocking")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(seconds)


async def hold_up(seconds: float) -> None:
    """Say so, and hold up the event loop."""
    logger.info("blocking")
    time.sleep(seconds)  # noqa: ASYNC251 - what tools do


async def spin(seconds: float) -> None:
    """Say so and more, and hold up the event loop and, as far as possible, every other thread."""
    logger.info("blocking")
    await say(2_000, "spun")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def at_exit(path: str) -> None:
    """Write to a file when the interpreter ends in order."""
    atexit.register(Path(path).write_text, "ended", encoding="ascii")


async def fail(text: str) -> None:
    """Raise."""
    raise ValueError(text)


async def fail_in_a_circle(length: int) -> None:
    """Raise an error that is, by way of others, its own cause."""
    errors = [ToolError(f"error {number}") for number in range(length)]
    for error, cause in pairwise([*errors, errors[0]]):
        error.__cause__ = cause
    raise errors[0]


async def leave(code: int) -> None:
    """Raise SystemExit in the event loop, as an unhandled error of a callback does."""

    def stop() -> None:
        raise SystemExit(code)

    asyncio.get_running_loop().call_soon(stop)


async def give_back(value: dict[str, Any]) -> dict[str, Any]:
    """Return what was given."""
    return value


async def size(text: str) -> int:
    """Return how long a text is."""
    return len(text)


def look_up_planted_address() -> None:
    """Let `localhost` mean what the file named by PLANTED_ADDRESS says, as a name server would."""
    original = socket.getaddrinfo

    def look_up(host: Any, *others: Any, **named: Any) -> Any:
        known = Path(os.environ["PLANTED_ADDRESS"]).read_text(encoding="ascii")
        return original(known if host in ("localhost", b"localhost") else host, *others, **named)

    socket.getaddrinfo = look_up


SET_UP = {
    "loguru": lambda: (logger.remove(), logger.add(sys.stderr)),
    "logging": lambda: logging.basicConfig(level=logging.WARNING, force=True),
    "dictConfig": lambda: logging.config.dictConfig({"version": 1}),
    "neither": lambda: None,
}
"""What tool modules do that believe logging to be theirs."""


def register(server: MCPServer[Any]) -> None:
    """Add the tools to the server."""
    SET_UP[os.environ.get("PLANTED_SET_UP", "neither")]()
    tools = (lag, state, say, say_from_threads, emit, chatter, fork, start_process, set_clock_back, sleep)
    unstoppable = (block, delegate, persist, hold_up, spin)
    for tool in (*tools, *unstoppable, at_exit, fail, fail_in_a_circle, leave, give_back, size, configure_stdout):
        server.add_tool(tool)
    if "PLANTED_ADDRESS" in os.environ:
        look_up_planted_address()
