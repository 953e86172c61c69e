"""Statistics that SQLite computes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.destinations import SQLiteDestination
from {{cookiecutter.project_slug}}.logging.stats import GROUPS, CallStats, Group, stats_of

if TYPE_CHECKING:
    from pathlib import Path

    from {{cookiecutter.project_slug}}.logging.entry import LogEntry

START = datetime(2026, 1, 31, 22, 30, tzinfo=UTC)


def make_calls() -> list[LogEntry]:
    """Return calls in groups of every size from 1 to 40, with equal and missing durations."""
    numbers = [(size, number) for size in range(1, 41) for number in range(size)]
    return [
        make_entry(
            timestamp=START + timedelta(minutes=size * number),
            log_type="tool_execution",
            tool_name=f"tool {size}",
            status=("success", "error", None)[number % 3],
            duration_ms=None if size % 7 == 0 else float(number * 31 % size // 2),
            client_name=None if size < 5 else f"client {size % 4}",
            error_type="ValueError" if number % 3 == 1 else None,
            output_size=size + number if size % 5 else None,
        )
        for size, number in numbers
    ]


@pytest.mark.parametrize("by", GROUPS)
async def test_statistics_are_exact(path: Path, by: Group) -> None:
    """Each percentile is the duration of a call: the nearest rank, for groups of any size."""
    destination = SQLiteDestination(path)
    calls = make_calls()
    await destination.write_batch([*calls, make_entry(tool_name="tool 1", duration_ms=1e9)])
    stats = await destination.stats(by=by, limit=1, offset=3, slowest=True)
    await destination.close()
    assert stats == CallStats(groups=stats_of(calls, by=by))


async def test_there_may_be_any_number_of_groups(path: Path) -> None:
    """Their percentiles do not count as parameters of the statement, whose number is limited."""
    destination = SQLiteDestination(path)
    await destination.write_batch(
        [make_entry(log_type="tool_execution", tool_name=f"{name}", duration_ms=name) for name in range(12_000)]
    )
    groups = (await destination.stats()).groups
    await destination.close()
    assert len(groups) == 12_000
    assert all(group.p50_ms == group.p99_ms == float(group.group) for group in groups)
