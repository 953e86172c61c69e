"""Calls whose start is recorded, too."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import MemoryDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli.call_starts import without_ended
from {{cookiecutter.project_slug}}.cli.entry_text import status_of
from {{cookiecutter.project_slug}}.cli.listing import show_list
from {{cookiecutter.project_slug}}.cli.options import parse
from {{cookiecutter.project_slug}}.cli.times import Clock

from .cli_helpers import NOON, PIPE, ago, make_call, make_start

if TYPE_CHECKING:
    from collections.abc import Callable

    RunJson = Callable[..., list[dict[str, Any]]]


class CountingDestination(MemoryDestination):
    """Count the queries."""

    queries = 0
    largest = 0
    """The most entries that a query returned."""

    async def query(self, **filters: Any) -> Any:
        """Return matching entries."""
        self.queries += 1
        found = await super().query(**filters)
        self.largest = max(self.largest, len(found))
        return found


@pytest.fixture
async def source() -> CountingDestination:
    """Return a destination with two calls that ended, a second apart from each other, and one that did not."""
    destination = CountingDestination()
    calls = [make_call(timestamp=NOON + timedelta(seconds=number)) for number in range(3)]
    await destination.write_batch([*calls[:2], *map(make_start, calls)])
    return destination


async def test_only_the_start_of_a_call_without_an_end_is_kept(source: CountingDestination) -> None:
    """The ends on the same page need no query."""
    entries = source.entries
    assert await without_ended(source, entries) == [*entries[:2], entries[-1]]
    assert source.queries == 1


async def test_ends_outside_the_page_are_looked_up(source: CountingDestination) -> None:
    """Those of starts that are near to each other with one query; a call has the same time at its start and its end."""
    starts = source.entries[2:]
    assert await without_ended(source, starts) == starts[2:]
    assert source.queries == 1
    far = make_start(make_call(timestamp=NOON - timedelta(days=1)))
    assert await without_ended(source, [far, *starts]) == [far, starts[2]]
    assert source.queries == 3


def test_a_call_without_an_end_is_unfinished() -> None:
    """Whether it runs, hangs, or its process was killed."""
    assert status_of(make_start(make_call())) == "unfinished"


def test_a_start_without_the_id_of_its_end_is_shown_as_recorded() -> None:
    """Another program may use the same status."""
    assert status_of(make_entry(status="started", extra_data={"call_entry_id": 1})) == "started"


def test_logs_reads_on_until_there_are_enough_entries(run_json: RunJson, recorded: Callable[..., None]) -> None:
    """Although the newest are all starts of calls that ended."""
    calls = [make_call(timestamp=ago(seconds=number)) for number in range(30)]
    lost = make_call("lost", timestamp=ago(minutes=5))
    recorded(*calls, *map(make_start, [*calls, lost]))
    assert [line["tool_name"] for line in run_json("logs", "--status", "started", "--limit", "3")] == ["lost"]
    assert len(run_json("logs", "--limit", "20")) == 20


def test_an_offset_counts_only_the_entries_that_are_listed(run_json: RunJson, recorded: Callable[..., None]) -> None:
    """Pages neither repeat a call nor leave one out."""
    calls = [make_call(timestamp=ago(seconds=number)) for number in range(30)]
    recorded(*calls, *map(make_start, calls))
    pages = [run_json("logs", "--limit", "10", "--offset", str(offset)) for offset in (0, 10, 20)]
    assert [line["entry_id"] for page in pages for line in page] == [call.entry_id for call in calls]


@pytest.mark.parametrize("has_start", [False, True])
async def test_a_store_skips_to_an_offset_itself_unless_starts_may_be_among_the_entries(*, has_start: bool) -> None:
    """It reads far less than the command would: a deep page of a large store takes as long as the store needs."""
    source = CountingDestination()
    calls = [make_call(timestamp=NOON - timedelta(seconds=number)) for number in range(30)]
    await source.write_batch([*calls, *map(make_start, calls[:1] if has_start else [])])
    options, _ = parse(["logs", "--limit", "10", "--offset", "5", "--json"])
    await show_list(source, options, terminal=PIPE, clock=Clock(is_utc=True))
    assert (source.largest > 10) is has_start
