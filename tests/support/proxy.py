"""A TCP proxy that does to a connection what networks do."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

CHUNK = 65_536
RESET = struct.pack("ii", 1, 0)
GARBAGE = bytes(range(256))


class Mode(Enum):
    """What the proxy does to connections."""

    FORWARD = auto()
    """Passes everything on."""
    REFUSE = auto()
    """Does not listen."""
    HANG = auto()
    """Accepts, reads, and never answers."""
    DEAF = auto()
    """Accepts and does not even read."""
    HALF = auto()
    """Passes on one byte of each reply and no more."""
    RESET = auto()
    """Accepts and resets."""
    GARBAGE = auto()
    """Answers whatever comes with bytes that mean nothing."""
    SLOW = auto()
    """Passes everything on late, 200 ms unless told otherwise."""
    TRICKLE = auto()
    """Passes on one byte a second."""


class Proxy:
    """Listens on a loopback address and passes connections on to `upstream`, a port, as its mode says.

    `port` is any that is free unless it is given; `delay` is in seconds, each way.
    """

    def __init__(self, upstream: int = 0, *, mode: Mode = Mode.FORWARD, port: int = 0, delay: float = 0.2) -> None:
        self.upstream = upstream
        self.mode = mode
        self.port = port
        self.delay = delay
        self.host = "127.0.0.1"
        self.trap: bytes | None = None
        """What cuts the replies (HALF) from the moment a client sends it."""
        self.accepted = 0
        """Connections so far."""
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        if self.mode is Mode.REFUSE:
            await self._close()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._close()

    async def switch(self, mode: Mode, *, host: str | None = None) -> None:
        """Cut what is connected, and go on in another mode and, where it is given, on another address."""
        await self._close()
        self.mode = mode
        self.host = host or self.host
        if mode is not Mode.REFUSE:
            await self._listen()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self.host, self.port, limit=CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        self.accepted += 1
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._serve(reader, writer)
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match self.mode:
            case Mode.RESET:
                plug: socket.socket = writer.get_extra_info("socket")
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            case Mode.HANG:
                while await reader.read(CHUNK):
                    pass
            case Mode.DEAF:
                writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads
                await asyncio.Event().wait()
            case Mode.GARBAGE:
                await reader.read(CHUNK)
                writer.write(GARBAGE)
                await writer.drain()
            case _:
                await self._forward(reader, writer)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            async with asyncio.TaskGroup() as group:
                there = group.create_task(self._copy(reader, there_writer))
                back = group.create_task(self._copy(there_reader, writer, is_reply=True))
                await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
                there.cancel()
                back.cancel()
        finally:
            there_writer.transport.abort()

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_reply: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if not is_reply and self.trap is not None and self.trap in data:
                    self.mode = Mode.HALF
                if self.mode is Mode.HALF and is_reply:
                    writer.write(data[:1])
                    await asyncio.Event().wait()
                if self.mode is Mode.TRICKLE:
                    for position in range(len(data)):
                        writer.write(data[position : position + 1])
                        await asyncio.sleep(1)
                    continue
                if self.mode is Mode.SLOW:
                    asyncio.get_running_loop().call_later(self.delay, writer.write, data)
                    continue
                writer.write(data)
                await writer.drain()
            if self.mode is Mode.SLOW:
                await asyncio.sleep(self.delay)
