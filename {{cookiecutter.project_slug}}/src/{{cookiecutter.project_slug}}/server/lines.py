"""Lines to and from a client, without the threads that the SDK reads and writes them with."""

from __future__ import annotations

import asyncio
import os
import select
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CHUNK = 65_536
"""Bytes read at once: what a pipe holds."""
LAST_STEPS, STEP = 50, 0.001
"""Number and seconds of the pauses at the end of stdin, so that the last requests can be answered."""


def is_pollable(descriptor: int) -> bool:
    """Return whether an event loop can wait for a descriptor: for pipes and sockets, but not on Windows."""
    mode = os.fstat(descriptor).st_mode
    return sys.platform != "win32" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


class LineReader:
    """The lines that arrive over a pipe or a socket, without their newlines."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    async def __aiter__(self) -> AsyncIterator[str]:
        parts: list[bytes] = []
        while chunk := await self._chunk():
            first, *others = chunk.split(b"\n")
            parts.append(first)
            for other in others:
                yield _text_of(parts)
                parts = [other]
        if any(parts):
            yield _text_of(parts)
        for _ in range(LAST_STEPS):  # then the SDK cancels the requests in progress
            await asyncio.sleep(STEP)

    async def _chunk(self) -> bytes:
        """Wait for bytes, and return none at the end.

        All processes with the pipe share its blocking mode, so that stays on: read only when the pipe is ready.
        """
        loop = asyncio.get_running_loop()
        chunk: asyncio.Future[bytes] = loop.create_future()
        loop.add_reader(self._descriptor, self._read_into, chunk)
        try:
            return await chunk
        finally:
            loop.remove_reader(self._descriptor)

    def _read_into(self, chunk: asyncio.Future[bytes]) -> None:
        if chunk.done():
            return
        try:
            chunk.set_result(os.read(self._descriptor, CHUNK))
        except BlockingIOError:  # another program has switched off blocking, and was faster
            return
        except ConnectionError:
            chunk.set_result(b"")
        except OSError as error:
            chunk.set_exception(error)


class LineWriter:
    """Texts on their way to a pipe or a socket: written at once as far as it accepts them, the rest by a thread."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._texts: list[str] = []
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._limiter = CapacityLimiter(1)  # not the common one, which sync tools may use up

    async def write(self, text: str) -> None:
        """Keep a text until `flush`."""
        self._texts.append(text)

    async def flush(self) -> None:
        """Write the texts; raise OSError if the client is gone."""
        data = memoryview("".join(self._texts).encode())
        self._texts.clear()
        with suppress(BlockingIOError):
            while data and self._poll.poll(0):
                data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]  # a ready pipe accepts these
        if data:
            await to_thread.run_sync(self._write, data, limiter=self._limiter)

    def _write(self, data: memoryview) -> None:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # another program has switched off blocking
                self._poll.poll()


def _text_of(parts: list[bytes]) -> str:
    return b"".join(parts).decode("utf-8", "replace")
