"""Lines over pipes and sockets: whole and in order, and nothing waits for a client that does not read."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from helpers import PATIENCE

from {{cookiecutter.project_slug}}.server.lines import CHUNK, LineReader, LineWriter, is_pollable

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="an event loop of Windows cannot wait for pipes")


class Ends:
    """The two ends of a pipe or of a pair of sockets."""

    def __init__(self, kind: str) -> None:
        pair = os.pipe() if kind == "pipe" else (each.detach() for each in socket.socketpair())
        self.source, self.target = pair
        self._open = {self.source, self.target}

    def close(self, *descriptors: int) -> None:
        """Close one end, or both."""
        for descriptor in self._open & set(descriptors or self._open):
            self._open.remove(descriptor)
            os.close(descriptor)


@pytest.fixture(params=["pipe", "socket"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    """Return the ends of a new pipe or pair of sockets."""
    ends = Ends(request.param)
    yield ends
    ends.close()


async def lines_of(source: int) -> list[str]:
    """Read until the end."""
    return [line async for line in LineReader(source)]


@pytest.mark.parametrize(
    ("parts", "lines"),
    [
        ([], []),
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a", b"b\n", b"c"], ["ab", "c"]),
        ([b"\n\na\r\n"], ["", "", "a\r"]),
        ([b"caf\xc3", b"\xa9\n"], ["café"]),
        ([b"\xff\n"], ["\ufffd"]),
        ([b"x" * (3 * CHUNK) + b"\ny\n"], ["x" * (3 * CHUNK), "y"]),
    ],
)
async def test_lines_are_read_whole(ends: Ends, parts: list[bytes], lines: list[str]) -> None:
    """The chunks may split lines and characters; empty lines, an unterminated line and invalid UTF-8 are read, too."""

    def send() -> None:
        for part in parts:
            view = memoryview(part)
            while view:
                view = view[os.write(ends.target, view) :]
            threading.Event().wait(0.01)
        ends.close(ends.target)

    sending = asyncio.create_task(asyncio.to_thread(send))
    assert await asyncio.wait_for(lines_of(ends.source), PATIENCE) == lines
    await sending


async def test_what_arrives_after_a_cancelled_read_is_not_lost(ends: Ends) -> None:
    """It is there for the next reader; the event loop watches nothing meanwhile."""
    reading = asyncio.create_task(lines_of(ends.source))
    await asyncio.sleep(0.01)
    reading.cancel()
    await asyncio.wait({reading})
    assert reading.cancelled()
    assert not asyncio.get_running_loop().remove_reader(ends.source)
    os.write(ends.target, b"late\n")
    await asyncio.sleep(0.01)
    ends.close(ends.target)
    assert await asyncio.wait_for(lines_of(ends.source), PATIENCE) == ["late"]


async def test_a_reset_connection_is_an_end() -> None:
    """A client that crashes over a socket has disconnected."""
    problems = list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, problem: problems.append(problem))
    ours, theirs = socket.create_server(("127.0.0.1", 0)), socket.socket()
    with ours, theirs:
        theirs.connect(ours.getsockname())
        accepted, _ = ours.accept()
        with accepted:
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            theirs.close()
            assert await asyncio.wait_for(lines_of(accepted.fileno()), PATIENCE) == []
    assert problems == []


async def test_an_error_of_reading_ends_the_server(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    """As over the SDK's streams."""

    def fail(*_: int) -> bytes:
        raise OSError(errno.EIO, "broken")

    os.write(ends.target, b"a line\n")
    monkeypatch.setattr("{{cookiecutter.project_slug}}.server.lines.os.read", fail)
    with pytest.raises(OSError, match="broken"):
        await asyncio.wait_for(lines_of(ends.source), PATIENCE)


async def test_what_a_pipe_accepts_is_written_at_once(ends: Ends) -> None:
    """The writer starts no thread for it."""
    writer, threads = LineWriter(ends.target), threading.active_count()
    for text in ("a\n", "é" * 2_000, "\n"):
        await writer.write(text)
        await writer.flush()
    assert threading.active_count() == threads
    ends.close(ends.target)
    assert await asyncio.wait_for(lines_of(ends.source), PATIENCE) == ["a", "é" * 2_000]


@pytest.mark.parametrize("is_blocking", [True, False])
async def test_a_client_that_does_not_read_does_not_block_the_event_loop(ends: Ends, *, is_blocking: bool) -> None:
    """The rest is written once it reads, also if another program has switched off blocking."""
    os.set_blocking(ends.target, is_blocking)
    writer, text = LineWriter(ends.target), "x" * 20 * CHUNK
    await writer.write(text)
    flushing = asyncio.create_task(writer.flush())
    await asyncio.sleep(0.05)
    assert not flushing.done()
    reading = asyncio.create_task(lines_of(ends.source))
    await asyncio.wait_for(flushing, PATIENCE)
    ends.close(ends.target)
    assert await reading == [text]


async def test_a_client_that_is_gone_is_an_error(ends: Ends) -> None:
    """A client that is gone ends the server, as over the SDK's streams."""
    ends.close(ends.source)
    writer = LineWriter(ends.target)
    await writer.write("text\n")
    with pytest.raises(BrokenPipeError):
        await writer.flush()


def test_files_are_not_pollable(ends: Ends, tmp_path: Path) -> None:
    """An event loop can wait for pipes and sockets only."""
    assert is_pollable(ends.source)
    assert is_pollable(ends.target)
    with (tmp_path / "file").open("w") as file, Path(os.devnull).open() as null:
        assert not is_pollable(file.fileno())
        assert not is_pollable(null.fileno())
