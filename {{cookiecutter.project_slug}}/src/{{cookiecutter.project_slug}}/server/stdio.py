"""Keep everything but the protocol off stdout: what tools print is shown on stderr."""

from __future__ import annotations

import io
import os
import sys
from contextlib import asynccontextmanager, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any, TextIO

from ..logging.unified_logger import UnifiedLogger
from .wire import STDERR, STDOUT, has_descriptor, redirect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from mcp.server import MCPServer

LINE_LENGTH = 10_000
"""Characters after which a printed line is shown although it has not ended."""


@contextmanager
def stdout_as_stderr() -> Iterator[None]:
    """Send to stderr what is printed, and what the child processes that are started meanwhile print."""
    if sys.stderr is None:
        yield
        return
    with _stdout_descriptor_as_stderr(), redirect_stdout(sys.stderr):
        yield


@asynccontextmanager
async def prints_as_log_lines(_: MCPServer[Any]) -> AsyncIterator[dict[str, Any]]:
    """Show on stderr what tools print: a buffered `print` would reach the real stdout at exit. Their stdin is empty.

    A lifespan of MCPServer.
    """
    if sys.stderr is None:
        yield {}
        return
    printed = PrintedLines(UnifiedLogger.show, sys.stderr)
    with _empty_stdin(), redirect_stdout(printed), redirect_stderr(printed):
        yield {}


class PrintedLines(io.TextIOBase):
    """A stream that passes each printed line to `take`, so that no `print` waits for a stderr that nothing reads.

    An unfinished line is passed on when its thread flushes, and when the stream closes. All other attributes, such as
    the file descriptor, are those of `stream`.
    """

    def __init__(self, take: Callable[[str], None], stream: TextIO) -> None:
        self._take = take
        self._stream = stream
        self._unfinished: dict[int, str] = {}  # by thread

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return self._stream.encoding

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._stream, name)

    def fileno(self) -> int:
        """Return the file descriptor of the stream."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Return that the stream accepts text."""
        return True

    def write(self, text: str) -> int:
        """Pass on each line that is complete or too long."""
        *lines, rest = (self._unfinished.pop(get_ident(), "") + text).split("\n")
        if len(rest) > LINE_LENGTH:
            lines, rest = [*lines, rest], ""
        if rest:
            self._unfinished[get_ident()] = rest
        for line in lines:
            self._take(line)
        return len(text)

    def flush(self) -> None:
        """Pass on the unfinished line of this thread."""
        if line := self._unfinished.pop(get_ident(), ""):
            self._take(line)

    def close(self) -> None:
        """Pass on the unfinished lines of all threads; runs by itself once nothing references the stream."""
        for thread in list(self._unfinished):
            if line := self._unfinished.pop(thread, ""):
                self._take(line)
        super().close()


@contextmanager
def _empty_stdin() -> Iterator[None]:
    """Replace `sys.stdin`: multiprocessing closes it in a forked child, where its lock may never be released."""
    stdin = sys.stdin
    with Path(os.devnull).open(encoding="utf-8") as empty:
        sys.stdin = empty
        try:
            yield
        finally:
            sys.stdin = stdin


@contextmanager
def _stdout_descriptor_as_stderr() -> Iterator[None]:
    """Point the descriptor at stderr, if both are what they usually are."""
    if not (has_descriptor(sys.stdout, STDOUT) and has_descriptor(sys.stderr, STDERR)):
        yield
        return
    stdout = sys.stdout
    stdout.flush()
    original = os.dup(STDOUT)
    redirect(STDOUT, STDERR)
    try:
        yield
    finally:
        with suppress(OSError, ValueError):  # what was written to `sys.__stdout__`
            stdout.flush()
        redirect(STDOUT, original)
        os.close(original)
