"""The connection to a client over stdio, on descriptors that neither tools nor child processes use."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from ..logging.forks import after_fork_in_child

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mcp.server import MCPServer

STDIN, STDOUT, STDERR = range(3)
"""The standard file descriptors."""


class Wire:
    """The streams to and from the client."""

    def __init__(self, stdin: int, stdout: int) -> None:
        self._stdin = stdin
        self._stdout = stdout
        after_fork_in_child(self._disconnect)

    async def serve(self, server: MCPServer[Any]) -> None:
        """Serve until the client disconnects, as `MCPServer.run_stdio_async` does.

        Over pipes and sockets, messages are read and written without the SDK's threads: switching between threads
        takes more time than recording the call.
        """
        from mcp.server.stdio import stdio_server  # noqa: PLC0415 - the SDK may be what cannot be imported

        from .lines import LineReader, LineWriter, is_pollable  # noqa: PLC0415

        lowlevel = getattr(server, "_lowlevel_server", None)  # the SDK has no public way to serve over given streams
        if lowlevel is None or not is_pollable(self._stdin) or not is_pollable(self._stdout):
            with self._as_standard_streams():
                await server.run_stdio_async()
            return
        reader: Any = LineReader(self._stdin)
        writer: Any = LineWriter(self._stdout)
        async with stdio_server(reader, writer) as streams:
            await lowlevel.run(*streams, lowlevel.create_initialization_options())

    @contextmanager
    def _as_standard_streams(self) -> Iterator[None]:
        """Let the SDK find the streams where it looks for them: in `sys`."""
        standard = sys.stdin, sys.stdout
        sys.stdin = open(self._stdin, encoding="utf-8", closefd=False)  # noqa: SIM115 - never closed, as in the SDK
        sys.stdout = open(self._stdout, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        try:
            yield
        finally:
            sys.stdin, sys.stdout = standard

    def _disconnect(self) -> None:
        """Replace the streams in a forked child: it could send messages, and its end would be the client's EOF."""
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (self._stdin, self._stdout):
            os.dup2(null, descriptor, inheritable=False)
        os.close(null)


def claim_wire() -> Wire | None:
    """Move the protocol off the standard descriptors, which become an empty stdin and a second stderr for good.

    Programs that tool modules start would write to the client otherwise, and read what it sends. Return None if that is
    impossible; the SDK does the same once it serves.
    """
    standard = ((sys.stdin, STDIN), (sys.stdout, STDOUT), (sys.stderr, STDERR))
    if not all(has_descriptor(stream, descriptor) for stream, descriptor in standard):
        return None
    try:
        null = os.open(os.devnull, os.O_RDONLY)
        wire = Wire(os.dup(STDIN), os.dup(STDOUT))
    except OSError:  # a limit on open files
        return None
    redirect(STDIN, null)
    redirect(STDOUT, STDERR)
    os.close(null)
    sys.stdout = sys.stderr
    return wire


def has_descriptor(stream: TextIO | None, descriptor: int) -> bool:
    """Return whether a stream is open and has this descriptor."""
    try:
        return stream is not None and stream.fileno() == descriptor
    except (OSError, ValueError):  # no file, or a closed one
        return False


def redirect(descriptor: int, target: int) -> None:
    """Redirect a standard descriptor to the file of another one, also for child processes on Windows."""
    os.dup2(target, descriptor)
    if sys.platform == "win32":
        from mcp.os.win32.utilities import rebind_std_handle_to_fd  # noqa: PLC0415

        with suppress(OSError):
            rebind_std_handle_to_fd(descriptor)
