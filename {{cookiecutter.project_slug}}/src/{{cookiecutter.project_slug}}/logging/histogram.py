"""Tool calls over time: what destinations return, and how to count them without a database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Self

from .entry import SUCCESSES, LogEntry
from .errors import SettingError

MAX_BUCKETS = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = (1, 2, 5, 10, 15, 30)
"""Usual lengths of a bucket, in seconds; those in minutes are the same."""
_HOURS = (1, 2, 3, 6, 12)


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """The time from `since`, inclusive, to `until`, exclusive, in buckets of equal length; both times have a zone."""

    since: datetime
    until: datetime
    buckets: int

    def __post_init__(self) -> None:
        """Raise SettingError if the period is empty, or the number of its buckets is out of range."""
        if self.until <= self.since:
            msg = f"until must be later than since, but {self.until.isoformat()} is not"
            raise SettingError(msg)
        if not 1 <= self.buckets <= MAX_BUCKETS:
            msg = f"buckets must be between 1 and {MAX_BUCKETS}, not {self.buckets}"
            raise SettingError(msg)

    @classmethod
    def around(cls, first: datetime, last: datetime, *, most: int) -> Self:
        """Return a period that contains both times, in buckets that begin at round times in UTC: 12:00, 12:15, 12:30.

        There are at most `most` of them, or two. Some stores count these several times as fast as others. Raise
        OverflowError at the first days of the calendar.
        """
        choices = ((length, (first - EPOCH) // length, (last - EPOCH) // length + 1) for length in _usual_lengths())
        # Two times can lie on both sides of a round time, so two buckets are always allowed.
        length, start, end = next(choice for choice in choices if choice[2] - choice[1] <= max(most, 2))
        return cls(since=EPOCH + start * length, until=EPOCH + end * length, buckets=end - start)

    @property
    def seconds(self) -> float:
        """The length of one bucket."""
        return (self.until - self.since).total_seconds() / self.buckets

    @property
    def edges(self) -> list[datetime]:
        """The start of each bucket, and the end of the last one; what has no whole microseconds is rounded up."""
        length = self.until - self.since
        return [self.since - (-length * number // self.buckets) for number in range(self.buckets + 1)]

    def bucket_of(self, moment: datetime) -> int:
        """Return the index of the bucket that contains a moment of this period."""
        return self.within((moment - self.since) * self.buckets // (self.until - self.since))

    def within(self, bucket: int) -> int:
        """Return the nearest index that exists: a store may round the time of an entry at either end."""
        return min(max(bucket, 0), self.buckets - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Histogram:
    """The number of calls and of failures in each bucket; if it is not complete, only the newest were counted."""

    period: Period
    calls: list[int]
    failures: list[int]
    is_complete: bool = True


def _usual_lengths() -> Iterator[timedelta]:
    for unit, numbers in (("seconds", _SECONDS), ("minutes", _SECONDS), ("hours", _HOURS)):
        yield from (timedelta(**{unit: number}) for number in numbers)
    yield from (timedelta(days=2**number) for number in count())


def histogram_of(entries: Iterable[LogEntry], period: Period, *, is_complete: bool = True) -> Histogram:
    """Count the tool calls among entries of the period; ignore other entries."""
    calls = (entry for entry in entries if entry.log_type == "tool_execution")
    rows = ((period.bucket_of(call.timestamp), 1, int(call.status not in SUCCESSES)) for call in calls)
    return filled(rows, period, is_complete=is_complete)


def filled(rows: Iterable[tuple[int, int, int]], period: Period, *, is_complete: bool = True) -> Histogram:
    """Return the histogram for rows of a bucket, its calls and its failures; buckets without a row have no calls."""
    calls, failures = [0] * period.buckets, [0] * period.buckets
    for bucket, number, failed in rows:
        calls[period.within(bucket)] += number
        failures[period.within(bucket)] += failed
    return Histogram(period=period, calls=calls, failures=failures, is_complete=is_complete)
