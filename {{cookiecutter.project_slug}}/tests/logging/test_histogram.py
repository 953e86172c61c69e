"""Tool calls over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.histogram import MAX_BUCKETS, Period, filled, histogram_of

START = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
PERIOD = Period(since=START, until=START + timedelta(hours=1), buckets=4)


def test_each_call_is_in_the_bucket_of_its_time() -> None:
    """The start of a bucket is inside; log lines, resources and starts do not count."""
    minutes = {0: "success", 14: "error", 15: "success", 59: None, 30: "input_required"}
    calls = [
        make_entry(timestamp=START + timedelta(minutes=minute), log_type="tool_execution", status=status)
        for minute, status in minutes.items()
    ]
    histogram = histogram_of([*calls, make_entry(timestamp=START), make_entry(log_type="framework")], PERIOD)
    assert (histogram.calls, histogram.failures) == ([2, 1, 1, 1], [1, 0, 0, 1])


def test_a_store_may_round_at_the_ends() -> None:
    """What it puts just outside counts in the first or the last bucket."""
    histogram = filled([(-1, 2, 1), (4, 3, 0), (1, 1, 1)], PERIOD)
    assert (histogram.calls, histogram.failures) == ([2, 1, 0, 3], [1, 1, 0, 0])


def test_the_edges_are_those_of_the_buckets() -> None:
    """There is one more than there are buckets."""
    assert PERIOD.edges == [START + timedelta(minutes=minutes) for minutes in (0, 15, 30, 45, 60)]


@pytest.mark.parametrize("count", [1, 3, 7, 60, 999])
def test_a_call_at_an_edge_belongs_to_the_bucket_that_begins_there(count: int) -> None:
    """To the microsecond, whatever the length of a bucket."""
    period = Period(since=START, until=START + timedelta(seconds=86_399, microseconds=7), buckets=count)
    for number, edge in enumerate(period.edges[1:-1], start=1):
        assert (period.bucket_of(edge), period.bucket_of(edge - timedelta.resolution)) == (number, number - 1)


@pytest.mark.parametrize(
    ("length", "most", "first", "last", "buckets"),
    [
        (timedelta(0), 60, "12:00:00", "12:00:01", 1),
        (timedelta(seconds=59), 60, "12:00:00", "12:01:00", 60),
        (timedelta(minutes=5), 60, "12:00:00", "12:05:10", 31),
        (timedelta(hours=1), 60, "12:00:00", "13:02:00", 31),
        (timedelta(hours=1), 8, "12:00:00", "13:10:00", 7),
        (timedelta(hours=23), 24, "12:00:00", "12:00:00", 24),
        (timedelta(hours=1), 1, "12:00:00", "14:00:00", 2),
    ],
)
def test_buckets_around_two_times_begin_at_round_ones(
    length: timedelta, most: int, first: str, last: str, buckets: int
) -> None:
    """The buckets have the shortest usual length that needs at most `most` of them."""
    period = Period.around(START, START + length, most=most)
    assert (f"{period.since:%H:%M:%S}", f"{period.until:%H:%M:%S}", period.buckets) == (first, last, buckets)


@pytest.mark.parametrize("most", [1, 2, 7, 60, MAX_BUCKETS])
@pytest.mark.parametrize("seconds", [0, 1, 59, 3_601, 86_400, 3e7, 2e9])
def test_buckets_around_two_times_contain_both(seconds: float, most: int) -> None:
    """Periods of seconds and of years; `most=1` may need two buckets."""
    first = START - timedelta(seconds=seconds, microseconds=7)
    period = Period.around(first, START, most=most)
    assert period.since <= first <= START < period.until
    assert period.buckets <= max(most, 2)
    assert period.since + period.seconds * period.buckets * timedelta(seconds=1) == period.until


@pytest.mark.parametrize("buckets", [0, -1, MAX_BUCKETS + 1])
def test_the_number_of_buckets_is_limited(buckets: int) -> None:
    """The sentence has the number and the limits."""
    with pytest.raises(SettingError, match=f"buckets must be between 1 and {MAX_BUCKETS}, not {buckets}"):
        Period(since=START, until=START + timedelta(1), buckets=buckets)


@pytest.mark.parametrize("hours", [0, -1])
def test_a_period_ends_after_its_start(hours: int) -> None:
    """The sentence has the end."""
    with pytest.raises(SettingError, match="until must be later than since, but 2026-01-31T1"):
        Period(since=START, until=START + timedelta(hours=hours), buckets=1)
