"""A search that answers while it goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import MemoryDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli.ui.searching import search

from .ui_helpers import OldestDestination, every_source

if TYPE_CHECKING:
    from {{cookiecutter.project_slug}}.cli.ui.paging import Position
    from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination, LogEntry

NOW = datetime.now(UTC)


def make_entries() -> list[LogEntry]:
    """Return entries of a week, more of them recently, each five with the same time."""
    ages = [timedelta(seconds=10 * (number - number % 5) ** 2) for number in range(240)]
    return [make_entry(f"{number % 3} of 3", timestamp=NOW - age) for number, age in enumerate(ages)]


async def search_all(
    source: LogDestination, filters: dict[str, Any], *, size: int
) -> tuple[list[str], list[float | None]]:
    """Search to the end; return the ids of what was found, and how much was searched after each answer."""
    ids, shares, after = list[str](), list[float | None](), None
    while True:
        found = await search(source, filters, after=after, size=size, seconds=0)
        ids += [entry.entry_id for entry in found.entries]
        shares.append(found.share)
        if found.next is None:
            return ids, shares
        after = found.next


@every_source
@pytest.mark.parametrize("size", [1, 3, 50, 1_000])
async def test_a_search_finds_every_match_once_and_in_order(source: LogDestination, size: int) -> None:
    """As one query does, also from periods without a match."""
    await source.write_batch(make_entries())
    for filters in ({}, {"text": "1 of 3"}, {"text": "none"}, {"since": NOW - timedelta(days=2)}):
        expected = [entry.entry_id for entry in await source.query(**filters, limit=1_000)]
        ids, shares = await search_all(source, filters, size=size)
        assert ids == expected
        assert shares[-1] == 1.0
        assert None in shares or shares == sorted(shares)


async def test_a_search_answers_in_time_and_says_how_far_it_came() -> None:
    """Although it has found less than a page."""
    source = OldestDestination(seconds=0.05)
    await source.write_batch(make_entries())
    found = await search(source, {"text": "none"}, after=None, size=10, seconds=0.01)
    assert (found.entries, len(source.periods)) == ([], 1)
    assert 0 < found.share < 0.01
    assert found.next is not None


async def test_quick_searches_reach_further_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slow ones less far, so that the next answer is not late."""
    source = OldestDestination()
    await source.write_batch([make_entry(timestamp=NOW - timedelta(days=9))])
    await search(source, {"text": "none"}, after=None, size=10, seconds=60)
    hours = [round(period / timedelta(hours=1)) for period in source.periods[1:4]]
    assert hours == [4, 16, 64]
    source.periods.clear()
    monkeypatch.setattr(f"{search.__module__}.QUICK", 0)
    monkeypatch.setattr(f"{search.__module__}.SLOW", 0)
    await search(source, {"text": "none", "since": NOW - timedelta(hours=4)}, after=None, size=10, seconds=0.01)
    assert source.periods[1] < source.periods[0]


async def test_a_destination_that_cannot_find_its_oldest_entry_is_searched_at_once() -> None:
    """Nothing says where to stop."""
    source = MemoryDestination()
    await source.write_batch(make_entries())
    found = await search(source, {}, after=None, size=10, seconds=0)
    assert (len(found.entries), found.share) == (10, None)
    last: Position | None = found.next
    found = await search(source, {}, after=last, size=1_000, seconds=0)
    assert (len(found.entries), found.next, found.share) == (230, None, 1.0)
