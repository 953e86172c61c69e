"""Ids are unique and sortable, follow a request, and may come from the client if they are harmless."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

from helpers import program

from {{cookiecutter.project_slug}}.logging.correlation import (
    begin,
    correlation,
    end,
    get_correlation_id,
    has_correlation_id,
    new_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def test_ids_are_unique_and_sort_by_time() -> None:
    """Two hundred thousand ids differ; one of a later millisecond sorts later."""
    first = new_id()
    deadline = time.time_ns() // 1_000_000 + 1
    while time.time_ns() // 1_000_000 <= deadline:
        pass
    assert first < new_id()
    assert len({new_id() for _ in range(200_000)}) == 200_000


def test_an_id_is_a_uuid_of_version_7() -> None:
    """Its first 48 bits are the Unix time in milliseconds."""
    made = UUID(new_id())
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert abs((made.int >> 80) - time.time_ns() // 1_000_000) < 1_000


def test_a_forked_child_makes_other_ids(run: Callable[..., Any]) -> None:
    """Parent and child count from different random numbers."""
    result = run(
        "-W",
        "ignore",
        *program("""
import os
from PACKAGE.logging.correlation import new_id
new_id()
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, new_id().encode())
    os._exit(0)
os.wait()
child = os.read(reader, 100).decode()
assert child[16:] not in {new_id()[16:] for _ in range(10)}, child
"""),
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_a_block_has_one_id_and_the_outer_one_returns_afterwards() -> None:
    """Outside any block, all lines have the id of the process."""
    process = get_correlation_id()
    assert not has_correlation_id()
    with correlation() as outer:
        with correlation("inner"):
            assert get_correlation_id() == "inner"
        token = begin()
        assert get_correlation_id() not in {outer, process}
        end(token)
        assert (get_correlation_id(), has_correlation_id()) == (outer, True)
    assert get_correlation_id() == process


async def test_concurrent_tasks_keep_their_own_ids() -> None:
    """A child task and a worker thread inherit the id."""

    async def work(name: str) -> list[str]:
        with correlation(name):
            await asyncio.sleep(0)
            child = asyncio.create_task(asyncio.to_thread(get_correlation_id))
            return [get_correlation_id(), await child]

    assert await asyncio.gather(work("a"), work("b")) == [["a", "a"], ["b", "b"]]
