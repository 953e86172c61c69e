"""Pages begin where the last one ended."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli.ui.paging import Position, read_all, read_page
from {{cookiecutter.project_slug}}.logging.errors import SettingError

from ..cli_helpers import NOON
from .ui_helpers import every_source

if TYPE_CHECKING:
    from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination


@every_source
@pytest.mark.parametrize("seed", range(8))
async def test_every_entry_is_on_exactly_one_page(source: LogDestination, seed: int) -> None:
    """Whatever the size of the pages is, and however many entries have the same time."""
    chance = random.Random(seed)
    times = [NOON + timedelta(microseconds=chance.randrange(1 + 9 * seed)) for _ in range(chance.randrange(1, 60))]
    await source.write_batch([make_entry(str(number), timestamp=moment) for number, moment in enumerate(times)])
    for size in (1, 2, 7, len(times), 100):
        shown = [entry async for page in read_all(source, {}, size=size) for entry in page]
        assert sorted(int(entry.message) for entry in shown) == list(range(len(times)))
        assert [entry.timestamp for entry in shown] == sorted(times, reverse=True)


@every_source
async def test_filters_apply_to_every_page(source: LogDestination) -> None:
    """The end of the filter is that of the first page."""
    entries = [make_entry(str(n), timestamp=NOON + timedelta(seconds=n), level="INFO") for n in range(20)]
    await source.write_batch([*entries, make_entry(timestamp=NOON, level="ERROR")])
    filters = {"level": "INFO", "since": entries[3].timestamp, "until": entries[12].timestamp}
    pages = [[entry.message for entry in page] async for page in read_all(source, filters, size=4)]
    assert pages == [["11", "10", "9", "8"], ["7", "6", "5", "4"], ["3"]]


@every_source
async def test_new_entries_move_no_page(source: LogDestination) -> None:
    """They are newer than where a page begins."""
    await source.write_batch([make_entry(str(n), timestamp=NOON + timedelta(seconds=n)) for n in range(6)])
    first, end = await read_page(source, {}, after=None, size=3)
    await source.write_batch([make_entry("new", timestamp=NOON + timedelta(days=1))])
    second, _ = await read_page(source, {}, after=end, size=3)
    assert [entry.message for entry in [*first, *second]] == ["5", "4", "3", "2", "1", "0"]


def test_a_position_is_read_back() -> None:
    """It has the microseconds, and the number of entries of this time."""
    position = Position(NOON + timedelta(microseconds=7), 3)
    assert str(position) == "2026-01-31T12:00:00.000007+00:00~3"
    assert Position.parse(str(position)) == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "~",
        "2026-01-31",
        "2026-01-31T12:00:00~1",
        "2026-01-31T12:00:00+00:00~",
        "2026-01-31T12:00:00+00:00~-1",
        "2026-01-31T12:00:00+00:00~9999999999",
        "9999-12-31T23:59:59.999999+00:00~1",
    ],
)
def test_anything_else_is_no_position(text: str) -> None:
    """The sentence has it."""
    with pytest.raises(SettingError, match="which is not the `next` of another page"):
        Position.parse(text)


def test_the_oldest_time_is_a_position() -> None:
    """There is one microsecond behind it."""
    assert Position(datetime.min.replace(tzinfo=UTC), 0).until.microsecond == 1
