"""Run a baked server over stdio or HTTP, call its tools, and see how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sqlite3
import time
from contextlib import AsyncExitStack, closing, suppress
from typing import TYPE_CHECKING, Any, Self

from mcp import Client

from tests.backends.processes import free_ports, listens

from .project import SLUG, Project
from .protocol import INITIALIZE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

LINE_LIMIT = 64 * 1024 * 1024
PATIENCE = 30.0
"""Seconds anything may take before the test fails."""


class ToolFailedError(Exception):
    """A tool call that ended with an error, with the text the client sees."""


async def until(condition: Callable[[], Any], what: str, *, deadline: float = PATIENCE, interval: float = 0.02) -> None:
    """Wait until a condition holds; it may be a coroutine function."""
    end = time.monotonic() + deadline
    while True:
        holds = condition()
        if asyncio.iscoroutine(holds):
            holds = await holds
        if holds:
            return
        assert time.monotonic() < end, f"not within {deadline} s: {what}"
        await asyncio.sleep(interval)


def checked(counters: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return counters by destination, whose sum always holds."""
    for item in counters.values():
        parts = [item[name] for name in ("written", "dropped", "failed", "queued")]
        assert item["accepted"] == sum(parts), item
        assert min(parts) >= 0, item
    return counters


class Server:
    """A process of the baked project; everything it says on stderr goes to the file `stderr`, unless nobody reads it.

    Settings are environment variables. Leaving the context ends the process by force where it still runs.
    """

    def __init__(self, project: Project, folder: Path, *, module: str = SLUG, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.project = project
        self.folder = folder
        self.database = folder / "logs.db"
        self.stderr = folder / "stderr.txt"
        self.command: list[str] = [project.python, "-m", module]
        self.settings = settings
        self.is_read = True
        """Whether somebody reads stderr."""
        self.confine: Callable[[], None] | None = None
        """What the process does to itself before it becomes the server: limits and lost privileges."""
        self._process: asyncio.subprocess.Process | None = None
        self._unread: tuple[int, int] | None = None

    @property
    def process(self) -> asyncio.subprocess.Process:
        """Return the running process."""
        assert self._process is not None
        return self._process

    async def __aenter__(self) -> Self:
        await self._launch()
        try:
            await asyncio.wait_for(self.connect(), PATIENCE)
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.disconnect()
        await self._end()

    async def connect(self) -> None:
        """Begin a session."""
        raise NotImplementedError

    async def disconnect(self) -> None:
        """Let the session go."""

    async def request(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool and return the result as the protocol has it."""
        raise NotImplementedError

    async def call(self, name: str, **arguments: Any) -> Any:
        """Call a tool and return its value; raise ToolFailedError where the call ended with an error."""
        result = await asyncio.wait_for(self.request(name, arguments), PATIENCE)
        if result.get("isError"):
            raise ToolFailedError(result["content"][0]["text"])
        content = result.get("structuredContent") or {}
        return content.get("result", content) if set(content) == {"result"} else content

    async def all_counters(self) -> dict[str, dict[str, Any]]:
        """Return the counters by destination; their sum always holds."""
        return checked((await self.call("state"))["counters"])

    async def counters(self, destination: str) -> dict[str, Any]:
        """Return a destination's counters."""
        return (await self.all_counters())[destination]

    async def end(self, how: signal.Signals | None = None) -> tuple[int, float]:
        """End the process by a signal, or by closing its stdin, and return its exit code and the seconds it took.

        Over HTTP nobody's stdin ends the server: there the default is SIGTERM.
        """
        begin = time.monotonic()
        if how is None and not isinstance(self, StdioServer):
            how = signal.SIGTERM
        if how is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
        else:
            self.process.send_signal(how)
        code = await asyncio.wait_for(self.process.wait(), PATIENCE)
        return code, time.monotonic() - begin

    def stored(self, condition: str = "1") -> int:
        """Return how many entries that fulfil an SQL condition are in the server's SQLite file."""
        return self._numbers(f"SELECT count(*) FROM unified_logs WHERE {condition}")[0]

    def lines(self, text: str = "line") -> int:
        """Return how many lines of the application are in the SQLite file; fail where one is there twice."""
        condition = f"message GLOB '{text} [0-9]*'"
        assert not self.repeated("message", condition), f"lines of {text} are there twice"
        return self.stored(condition)

    def repeated(self, column: str, condition: str = "1") -> int:
        """Return how many entries have a value in a column that an earlier one has."""
        rows, different = self._numbers(
            f"SELECT count(*), count(DISTINCT {column}) FROM unified_logs WHERE {condition}"
        )
        return rows - different

    def _numbers(self, query: str) -> tuple[int, ...]:
        """Return the numbers of the first row of an answer, zeros where there is no file, no table or no answer."""
        uri = f"{self.database.as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
                row = connection.execute(query).fetchone()
        except sqlite3.DatabaseError as error:
            if re.search("no such column|no such function|syntax error", str(error)):
                raise
            row = None
        return tuple(row or (0, 0))

    def dump(self) -> str:
        """Return everything in the SQLite file, as text."""
        with closing(sqlite3.connect(f"{self.database.as_uri()}?mode=ro", uri=True)) as connection:
            return "\n".join(map(str, connection.execute("SELECT * FROM unified_logs")))

    def stderr_text(self) -> str:
        """Return what the server said on stderr."""
        return self.stderr.read_text(encoding="utf-8", errors="replace")

    async def _launch(self) -> None:
        if self.is_read:
            error = os.open(self.stderr, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        else:
            self._unread = os.pipe()
            error = self._unread[1]
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command,
                cwd=self.folder,
                env=self.project.environment(self.folder, **self.settings),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=error,
                limit=LINE_LIMIT,
                preexec_fn=self.confine,
            )
        finally:
            os.close(error)

    async def _end(self) -> None:
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.kill()
        await self.process.wait()
        if self._unread is not None:
            os.close(self._unread[0])


class StdioServer(Server):
    """A server over stdio, spoken to without the SDK, so that little of what is measured is the client's."""

    def __init__(self, project: Project, folder: Path, *, module: str = SLUG, **settings: str) -> None:
        super().__init__(project, folder, module=module, **settings)
        self._replies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._last = 0

    async def connect(self) -> None:
        """Shake hands."""
        self._reader = asyncio.create_task(self._read())
        await self._ask(
            "initialize",
            INITIALIZE,
        )
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    async def disconnect(self) -> None:
        """Stop reading."""
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    async def request(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool."""
        return await self._ask("tools/call", {"name": name, "arguments": arguments})

    async def _ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._last += 1
        reply = self._replies[self._last] = asyncio.get_running_loop().create_future()
        self._send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        message = await reply
        assert "result" in message, message
        result: dict[str, Any] = message["result"]
        return result

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            message = json.loads(line)  # a line that is no JSON-RPC message fails the test: stdout is the protocol's
            if (reply := self._replies.pop(message.get("id"), None)) is not None and not reply.done():
                reply.set_result(message)
        for reply in self._replies.values():
            reply.cancel()


class HttpServer(Server):
    """A server over streamable HTTP, spoken to with the SDK's client."""

    def __init__(self, project: Project, folder: Path, *, module: str = SLUG, **settings: str) -> None:
        (self.port,) = free_ports(1)
        address = {"TRANSPORT": "streamable-http", "HTTP_PORT": str(self.port)}
        super().__init__(project, folder, module=module, **address, **settings)
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        self._stack = AsyncExitStack()
        self._client: Client | None = None

    async def connect(self) -> None:
        """Wait until the server listens and begin a session."""
        await until(self._listens, f"{self.url} listens")
        self._client = await self._stack.enter_async_context(Client(self.url))

    async def disconnect(self) -> None:
        """End the session, with a server that may be gone."""
        with suppress(Exception):
            await self._stack.aclose()

    async def request(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Call a tool."""
        assert self._client is not None
        result = await self._client.call_tool(name, arguments)
        return result.model_dump(mode="json", by_alias=True)

    def _listens(self) -> bool:
        assert self.process.returncode is None, self.stderr_text()
        return listens(self.port)
