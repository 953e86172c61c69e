"""Work runs on a daemon thread with its own loop, and ends with it."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
from helpers import PATIENCE, until

from {{cookiecutter.project_slug}}.logging.writer_thread import WRITER_NAME, WriterThread, is_writer_thread


async def _thread_name() -> str:
    assert is_writer_thread()
    return threading.current_thread().name


def test_work_runs_on_the_writer_thread() -> None:
    """Its result and its exception arrive in the future."""
    writer = WriterThread()
    assert writer.submit(_thread_name()).result(PATIENCE) == WRITER_NAME
    with pytest.raises(TimeoutError, match="no answer"):
        writer.submit(_fail()).result(PATIENCE)
    writer.stop()
    writer.join(PATIENCE)
    assert not is_writer_thread()


async def _fail() -> None:
    msg = "no answer"
    raise TimeoutError(msg)


def test_blocking_calls_run_on_daemon_threads_that_count_as_the_writers() -> None:
    """A hanging DNS lookup cannot keep the process alive; lines that such a call logs must not feed back."""

    def call() -> tuple[bool, bool]:
        return is_writer_thread(), threading.current_thread().daemon

    async def work() -> list[object]:
        loop = asyncio.get_running_loop()
        failed = await asyncio.gather(asyncio.to_thread(int, "x"), return_exceptions=True)
        (address, *_) = await loop.getaddrinfo("127.0.0.1", 1, type=socket.SOCK_STREAM)
        return [await asyncio.to_thread(call), type(failed[0]), address[4]]

    writer = WriterThread()
    assert writer.submit(work()).result(PATIENCE) == [(True, True), ValueError, ("127.0.0.1", 1)]
    writer.stop()
    writer.join(PATIENCE)


def test_stopping_cancels_running_work() -> None:
    """Its cleanup runs, and the thread ends although one task ignores the cancellation."""
    cleaned, started = threading.Event(), threading.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    async def ignore() -> None:
        while True:
            try:
                started.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    writer = WriterThread()
    writer.submit(hang())
    writer.submit(ignore())
    assert started.wait(PATIENCE)
    writer.stop()
    writer.join(PATIENCE)
    assert (cleaned.is_set(), writer._thread.is_alive()) == (True, False)


def test_work_for_an_ended_thread_is_cancelled() -> None:
    """The caller gets a cancelled future instead of an exception; stopping twice is harmless."""
    writer = WriterThread()
    writer.stop()
    writer.join(PATIENCE)
    writer.stop()
    until(lambda: writer.submit(_thread_name()).cancelled())
