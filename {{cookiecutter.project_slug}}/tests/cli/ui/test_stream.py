"""New entries as server-sent events."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import MemoryDestination
from helpers import eventually, make_entry

from {{cookiecutter.project_slug}}.cli import arrivals
from {{cookiecutter.project_slug}}.cli.ui import stream

from ..cli_helpers import ago, make_call
from .ui_helpers import BrokenDestination, Visit, app_of, ask, events_in, every_source, streaming, visit

if TYPE_CHECKING:
    from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination


def nine_minutes_ago() -> datetime:
    """Return a time that is still looked at, whenever the test runs."""
    return datetime.now(UTC) - timedelta(minutes=9)


async def event(following: Visit, name: str, number: int = 1) -> Any:
    """Wait for the first, or another, event with this name; return its data."""

    def found() -> list[Any]:
        return [data for each, data in events_in(following.answer.body) if each == name]

    await eventually(lambda: len(found()) >= number)
    return found()[number - 1]


@every_source
async def test_a_new_call_is_sent_within_a_second(source: LogDestination) -> None:
    """As a row of the list; what is recorded so far is not sent."""
    await source.write_batch([make_call("old")])
    async with streaming(app_of(source)) as following:
        await event(following, "ready")
        began = time.monotonic()
        await source.write_batch([make_call("new"), make_entry("line")])
        rows = await event(following, "entries")
        assert time.monotonic() - began < 1
        assert [row["name"] for row in rows] == ["new"]
    assert following.answer.header("content-type") == "text/event-stream; charset=utf-8"


@every_source
async def test_a_call_arrives_at_its_end_with_the_time_of_its_start(source: LogDestination) -> None:
    """It is sent although later calls were sent before; what is older than a quarter of an hour is not."""
    async with streaming(app_of(source)) as following:
        await event(following, "ready")
        await source.write_batch([make_call("now")])
        await event(following, "entries")
        await source.write_batch(
            [make_call("ancient", timestamp=ago(hours=1)), make_call("late", timestamp=nine_minutes_ago())]
        )
        assert [row["name"] for row in await event(following, "entries", 2)] == ["late"]


async def test_a_call_that_began_before_many_others_arrives_too() -> None:
    """It is found by the next query of a whole page."""
    source = MemoryDestination()
    async with streaming(app_of(source)) as following:
        await event(following, "ready")
        await source.write_batch([make_call(f"quick-{number}") for number in range(2 * arrivals.QUICK_PAGE)])
        await event(following, "entries")
        await source.write_batch([make_call("slow", timestamp=nine_minutes_ago())])
        assert [row["name"] for row in await event(following, "entries", 2)] == ["slow"]


@every_source
async def test_the_stream_is_filtered(source: LogDestination) -> None:
    """By the words of the filter line."""
    async with streaming(app_of(source), "type:any text:wanted") as following:
        await event(following, "ready")
        await source.write_batch([make_call("other"), make_entry("a wanted line")])
        assert [row["details"] for row in await event(following, "entries")] == ["a wanted line"]


async def test_a_destination_that_goes_away_and_comes_back_is_told_once_each() -> None:
    """What is recorded meanwhile arrives afterwards."""
    source = BrokenDestination()
    async with streaming(app_of(source)) as following:
        await event(following, "ready")
        source.error = ConnectionRefusedError("no route")
        problem = await event(following, "problem")
        assert problem["error"].startswith("broken cannot be read: ")
        queries = source.queries
        await eventually(lambda: source.queries > queries + 1)
        await source.write_batch([make_call("meanwhile")])
        source.error = None
        assert [row["name"] for row in await event(following, "entries")] == ["meanwhile"]
        await event(following, "recovered")
        assert [name for name, _ in events_in(following.answer.body)] == ["ready", "problem", "entries", "recovered"]


async def test_a_destination_may_be_away_at_first() -> None:
    """The stream begins, and is ready as soon as the destination is."""
    source = BrokenDestination()
    source.error = ConnectionRefusedError("no route")
    async with streaming(app_of(source)) as following:
        await event(following, "problem")
        assert following.answer.status == 200
        source.error = None
        await event(following, "ready")
        await event(following, "recovered")


async def test_the_stream_ends_when_the_client_leaves() -> None:
    """The destination is not queried any more."""
    source = BrokenDestination()
    async with streaming(app_of(source)) as following:
        await event(following, "ready")
    assert following._task.done()


async def test_the_stream_ends_when_the_server_ends() -> None:
    """It is complete then."""
    ending: list[bool] = []
    following = visit(app_of(is_ending=lambda: bool(ending)), "/api/stream")
    await event(following, "ready")
    ending.append(True)
    assert (await following.end()).is_whole


async def test_a_quiet_stream_has_a_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a connection without its other end is noticed. It is a comment, no event."""
    monkeypatch.setattr(stream, "HEARTBEAT", 0.0)
    monkeypatch.setattr(stream, "POLL_INTERVAL", 0.01)
    async with streaming(app_of()) as following:
        await eventually(lambda: b"\n\n:\n\n" in following.answer.body)
    assert [name for name, _ in events_in(following.answer.body)] == ["ready"]


async def test_a_question_for_the_head_of_the_stream_is_answered_at_once() -> None:
    """It would not end otherwise."""
    head = await ask(app_of(), "/api/stream", "HEAD")
    assert (head.status, head.body, head.is_whole) == (200, b"", True)


async def test_only_recent_entries_are_searched_for_new_ones() -> None:
    """Each query would read all entries otherwise, twice a second, if the filter finds few of them."""
    source = BrokenDestination()
    asked: list[dict[str, Any]] = []
    query = source.query

    async def noted(**filters: Any) -> list[Any]:
        asked.append(filters)
        return await query(**filters)

    source.query = noted
    async with streaming(app_of(source), "tool:none") as following:
        await event(following, "ready")
        await eventually(lambda: len(asked) > 2)
    assert all(filters["since"] > ago(minutes=16) - timedelta(minutes=5) for filters in asked)
