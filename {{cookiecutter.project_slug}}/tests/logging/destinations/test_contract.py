"""What every destination promises, checked for each one in this project and for your own.

Add yours in one line: to READABLE, or to WRITE_ONLY if it cannot be queried. Its builder receives a word that is unique
for each test, for names of tables and the like, and returns an unopened destination.

Local destinations are built from the default configuration in an empty home. A production destination is built by the
function `make_destination(unique)` in its `test_destination.py`, which finds the backend through TEST_...; its tests
are marked `integration`.
"""

from __future__ import annotations

import asyncio
import importlib
import math
import time
import uuid
from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import JsonLinesDestination, WriteOnlyDestination
from helpers import Broken, make_entry

from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.destinations import (
    LOCAL,
    PRODUCTION,
    BufferedDestination,
    RetryWrapper,
)
from {{cookiecutter.project_slug}}.logging.destinations.base import LogDestination, LogEntry
from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.histogram import Period, histogram_of
from {{cookiecutter.project_slug}}.logging.stats import GROUPS, CallStats, Group, GroupStats, stats_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable


def build_local(name: str, _: str) -> LogDestination:
    """Build a local destination."""
    return LOCAL[name].from_config(ServerConfig(log_retention_days=0))


def build_production(name: str, unique: str) -> LogDestination:
    """Build a production destination with the function in its test module."""
    path = next(Path(__file__).parent.glob(f"{name}/test_destination.py"), Path(__file__).with_name(f"test_{name}.py"))
    parts = path.relative_to(Path(__file__).parents[3]).with_suffix("").parts
    return importlib.import_module(".".join(parts)).make_destination(unique)


BUILT = {
    **{name: partial(build_local, name) for name in LOCAL},
    **{name: partial(build_production, name) for name in PRODUCTION},
}
WRITE_ONLY_NAMES = {name for name, kind in {**LOCAL, **PRODUCTION}.items() if kind.query is LogDestination.query}
READABLE: dict[str, Callable[[str], LogDestination]] = {
    "json lines": lambda unique: JsonLinesDestination(f"{unique}.jsonl"),
    **{name: build for name, build in BUILT.items() if name not in WRITE_ONLY_NAMES},
}
WRITE_ONLY: dict[str, Callable[[str], LogDestination]] = {
    "write-only": lambda _: WriteOnlyDestination(),
    **{name: build for name, build in BUILT.items() if name in WRITE_ONLY_NAMES},
}
BUILDERS = {**READABLE, **WRITE_ONLY}


def params(names: Iterable[str]) -> list[Any]:
    """Return destinations as parameters; mark those that need a backend."""
    return [pytest.param(name, marks=[pytest.mark.integration] if name in PRODUCTION else []) for name in names]


every = pytest.mark.parametrize("name", params(BUILDERS))
readable = pytest.mark.parametrize("name", params(READABLE))
write_only = pytest.mark.parametrize("name", params(WRITE_ONLY))


@pytest.fixture
async def destination(name: str) -> AsyncIterator[LogDestination]:
    """Return an unopened, empty destination."""
    built = BUILDERS[name](uuid.uuid4().hex[:12])
    yield built
    await built.close()


async def find(destination: LogDestination, count: int, **filters: Any) -> list[LogEntry]:
    """Query until `count` entries are found: some backends show an entry only after a moment."""
    deadline = time.monotonic() + 20
    while len(found := await destination.query(**filters)) < count:
        assert time.monotonic() < deadline, f"only {len(found)} of {count} entries"
        await asyncio.sleep(0.05)
    return found


async def send(destination: LogDestination, entries: list[LogEntry]) -> BufferedDestination:
    """Deliver entries as the server does, until none is queued."""
    buffer = BufferedDestination(RetryWrapper(destination, 2, 1, write_timeout_ms=20_000))
    await buffer.open()
    for entry in entries:
        buffer.put(entry)
    async with asyncio.timeout(60):
        while buffer.counters.queued:
            await buffer.flush()
    return buffer


NOW = datetime.now(UTC).replace(microsecond=123_456)
FULL = LogEntry(
    correlation_id="c-\u00e9\u4e2d\U0001f600",
    timestamp=NOW,
    level="WARNING",
    log_type="tool_execution",
    message='a "message"\n\twith \\ and \u4e2d\u6587',
    tool_name="tool",
    duration_ms=12.5,
    status="error",
    input_args={"a": [1, {"b": None, "c d": 1.5}], "\u00e9": "\U0001f600"},
    output_summary="summary",
    error_message="error: 100%",
    module="module",
    function="function",
    line=42,
    thread_name="MainThread",
    process_id=4_194_304,
    extra_data={"nested": {"text": "two\n  lines"}, "n": -1},
    server_name="s",
    server_version="1.0",
    transport="stdio",
    client_name="c",
    client_version="2",
    protocol_version="2025-06-18",
    request_id="7",
    principal="p",
    error_type="ValueError",
    trace_id="0af7651916cd43dd8448eb211c80319c",
    span_id="b7ad6b7169203331",
    hostname="h",
    method="tools/call",
    target="tool",
    client_address="2001:db8::1",
    parent_span_id="00f067aa0ba902b7",
    input_size=2**33,
    output_size=0,
    traceback='Traceback (most recent call last):\n  File "tools.py", line 1\nValueError: error: 100%\n',
)
"""An entry with a value in every field."""


@readable
@pytest.mark.parametrize("entry", [FULL, make_entry("small")], ids=["full", "small"])
async def test_a_query_returns_an_entry_unchanged(destination: LogDestination, entry: LogEntry) -> None:
    """All fields are equal, including the absent ones; the time is in UTC, with microseconds."""
    await destination.open()
    await destination.write(entry)
    (found,) = await find(destination, 1)
    assert found == entry
    assert found.timestamp.utcoffset() == timedelta(0)


@every
async def test_close_may_be_called_at_any_time(destination: LogDestination) -> None:
    """It works without `open`, twice, and before another write, which opens the destination again."""
    await destination.close()
    await destination.open()
    await destination.write(make_entry("one"))
    await destination.close()
    await destination.close()
    buffer = await send(destination, [make_entry("two")])
    await buffer.close()
    assert (buffer.counters.written, buffer.counters.last_error) == (1, None)


@every
async def test_concurrent_first_writes_all_succeed(destination: LogDestination) -> None:
    """None fails because another one opens the destination at the same time."""
    await asyncio.gather(*(destination.write(make_entry(str(number))) for number in range(20)))
    await destination.write_batch([])


@readable
async def test_a_query_of_an_empty_destination_returns_nothing(destination: LogDestination) -> None:
    """It does not raise, whether the destination was opened or not."""
    assert await destination.query() == []
    await destination.open()
    assert await destination.query(text="x", limit=1, offset=5) == []


@readable
async def test_a_batch_written_twice_is_stored_once(destination: LogDestination) -> None:
    """Entry ids make a retry after an unknown outcome harmless, even if the batches differ."""
    entries = [make_entry(str(number), timestamp=NOW - timedelta(seconds=number)) for number in range(1_200)]
    await destination.write_batch(entries)
    await destination.write_batch(entries)
    await destination.write_batch([*entries[600:], make_entry("last", timestamp=NOW - timedelta(days=1))])
    found = await find(destination, 1_201, limit=5_000)
    assert [entry.message for entry in found] == [*(str(number) for number in range(1_200)), "last"]


BASE = NOW - timedelta(days=1)
ENTRIES = [
    make_entry("plain", timestamp=BASE, correlation_id="c-1", level="INFO"),
    make_entry("100% sure", timestamp=BASE - timedelta(hours=1), correlation_id="c-2", level="ERROR"),
    make_entry("1000 sure", timestamp=BASE - timedelta(hours=2), correlation_id="C-1", log_type="framework"),
    make_entry(
        "a_b", timestamp=BASE - timedelta(hours=3), tool_name="add", log_type="tool_execution", status="success"
    ),
    make_entry(
        "axb",
        timestamp=BASE - timedelta(hours=4),
        tool_name="Add",
        log_type="tool_execution",
        level="ERROR",
        status="error",
        error_message="it's broken",
    ),
    make_entry(
        'say "hi"',
        timestamp=BASE - timedelta(hours=5),
        tool_name="a%d",
        level="Notice",
        output_summary="back\\slash [*?]",
    ),
    make_entry("' OR 1=1 --", timestamp=BASE - timedelta(hours=6), level="DEBUG"),
    make_entry("backslash", timestamp=BASE - timedelta(hours=7), level="WARNING"),
]
"""Entries, newest first."""
FILTERS = [
    ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
    ({"correlation_id": "C-1"}, [2]),
    ({"correlation_id": "c-2"}, [1]),
    ({"correlation_id": "c-%"}, []),
    ({"tool_name": "add"}, [3]),
    ({"tool_name": "a%d"}, [5]),
    ({"level": "ERROR"}, [1, 4]),
    ({"level": ("debug", "WARNING")}, [6, 7]),
    ({"level": "Notice"}, [5]),
    ({"log_type": "framework"}, [2]),
    ({"status": "success"}, [3]),
    ({"since": BASE - timedelta(hours=1)}, [0, 1]),
    ({"until": BASE - timedelta(hours=6)}, [7]),
    ({"since": BASE - timedelta(hours=3), "until": BASE - timedelta(hours=1)}, [2, 3]),
    ({"since": (BASE - timedelta(hours=1)).replace(tzinfo=None)}, [0, 1]),
    ({"since": (BASE - timedelta(hours=1)).astimezone(timezone(timedelta(hours=5)))}, [0, 1]),
    ({"text": "100%"}, [1]),
    ({"text": "a_b"}, [3]),
    ({"text": "SURE"}, [1, 2]),
    ({"text": "it's"}, [4]),
    ({"text": '"hi"'}, [5]),
    ({"text": "k\\s"}, [5]),
    ({"text": "[*?]"}, [5]),
    ({"text": "' OR 1=1 --"}, [6]),
    ({"text": "%"}, [1, 5]),
    ({"text": "_"}, [3]),
    ({"text": "*"}, [5]),
    ({"text": "slash"}, [5, 7]),
    ({"text": "add"}, [3, 4]),
    ({"limit": 2}, [0, 1]),
    ({"limit": 2, "offset": 1}, [1, 2]),
    ({"offset": 7}, [7]),
    ({"offset": 8}, []),
    ({"level": "ERROR", "text": "sure", "since": BASE - timedelta(hours=9), "limit": 5}, [1]),
]
"""Filters, and the entries that match them."""
MIDDLE = uuid.uuid4().hex[:20]
"""The part of the ids below that differs in each run: a store may keep the entries of earlier runs."""
REQUESTS = [
    make_entry(
        "a call",
        timestamp=BASE,
        correlation_id="order_7%",
        log_type="tool_execution",
        tool_name="weather",
        duration_ms=120.0,
        status="success",
        entry_id=f"0a1b2c3d{MIDDLE}e8f9",
        client_name="desk",
        principal="ann",
        method="tools/call",
        target="weather",
    ),
    make_entry(
        "a slow call",
        timestamp=BASE - timedelta(hours=1),
        correlation_id="order_8",
        log_type="tool_execution",
        tool_name="weather",
        duration_ms=5_000.5,
        status="error",
        error_message="no forecast",
        entry_id=f"ffff2c3d{MIDDLE[2:]}d70000",
        client_name="desk",
        principal="bob",
        error_type="ZeroDivisionError",
        method="tools/call",
        traceback='Traceback:\n  File "/srv/Forecast.py", line 7, in weather\n',
    ),
    make_entry(
        "a line",
        timestamp=BASE - timedelta(hours=2),
        correlation_id="order_8",
        tool_name="weather",
        entry_id=f"0a1b0000{MIDDLE}e8f9",
    ),
    make_entry(
        "a resource",
        timestamp=BASE - timedelta(hours=3),
        correlation_id="0a1b",
        log_type="framework",
        duration_ms=7.25,
        entry_id=f"11110000{MIDDLE}1111",
        client_name="Desk",
        method="resources/read",
        target="file:///notes.txt",
    ),
]
"""Requests and a line, newest first."""
REQUEST_FILTERS = [
    ({"client_name": "desk"}, [0, 1]),
    ({"client_name": "des"}, []),
    ({"principal": "bob"}, [1]),
    ({"error_type": "ZeroDivisionError"}, [1]),
    ({"error_type": "zerodivisionerror"}, []),
    ({"method": "resources/read"}, [3]),
    ({"method": "tools/call", "principal": "ann"}, [0]),
    ({"any_id": f"0a1b2c3d{MIDDLE}e8f9"}, [0]),
    ({"any_id": "0a1b2"}, [0]),
    ({"any_id": "0a1b"}, [0, 2, 3]),
    ({"any_id": "e8f9"}, [0, 2]),
    ({"any_id": "d70000"}, [1]),
    ({"any_id": "2c3d"}, []),
    ({"any_id": "0A1B"}, []),
    ({"any_id": "order_"}, [0, 1, 2]),
    ({"any_id": "7%"}, [0]),
    ({"any_id": "_"}, []),
    ({"any_id": "%"}, [0]),
    ({"any_id": "0a1b*"}, []),
    ({"any_id": "x" * 100}, []),
    ({"any_id": "order_8", "log_type": "internal"}, [2]),
    ({"min_duration_ms": 0}, [0, 1, 3]),
    ({"min_duration_ms": 120}, [0, 1]),
    ({"min_duration_ms": 120.5}, [1]),
    ({"slowest": True}, [1, 0, 3]),
    ({"slowest": True, "limit": 1, "offset": 1}, [0]),
    ({"slowest": True, "status": "success"}, [0]),
    ({"slowest": True, "text": "NOTES.txt"}, [3]),
    ({"text": "zerodivision"}, [1]),
    ({"text": '"/srv/forecast.PY", line 7'}, [1]),
    ({"text": "file:///notes"}, [3]),
    ({"text": "weather"}, [0, 1, 2]),
]
FILTERS_OF = {"lines": (ENTRIES, FILTERS), "requests": (REQUESTS, REQUEST_FILTERS)}


@readable
@pytest.mark.parametrize(("entries", "cases"), FILTERS_OF.values(), ids=FILTERS_OF)
async def test_a_filter_finds_exactly_the_matching_entries(
    destination: LogDestination, entries: list[LogEntry], cases: list[tuple[dict[str, Any], list[int]]]
) -> None:
    """The newest or the slowest comes first. No character is special, a time without a zone is UTC, any level is kept.

    An id is found by how it begins or ends. A text is found in the message, the reason, the class, the traceback, the
    result and the target.
    """
    await destination.write_batch(sorted(entries, key=lambda entry: entry.message))
    await find(destination, len(entries))
    for filters, expected in cases:
        found = await destination.query(**filters)
        assert [entry.message for entry in found] == [entries[index].message for index in expected], filters


@readable
@pytest.mark.parametrize(
    "filters",
    [
        {"limit": 0},
        {"limit": 10_001},
        {"offset": -1},
        {"colour": "red"},
        {"since": "now"},
        {"level": 30},
        {"any_id": ""},
        {"min_duration_ms": -1.0},
        {"slowest": "yes"},
    ],
)
async def test_an_invalid_filter_is_refused(destination: LogDestination, filters: dict[str, Any]) -> None:
    """The message names the filter; nothing is sent to the backend."""
    with pytest.raises(SettingError, match=next(iter(filters))):
        await destination.query(**filters)


def make_calls() -> list[LogEntry]:
    """Return calls of three days, newest first, with every outcome; some lack a client, a duration or a size."""
    outcomes = ("success", "error", "success", "cancelled", "input_required", "unknown_tool", "success", "success")
    return [
        make_entry(
            f"call {number}",
            timestamp=NOW - timedelta(minutes=36 * number),
            log_type="tool_execution",
            tool_name=("add", "echo", "echo", "weather", "add", "echo")[number % 6],
            duration_ms=float(number * 37 % 120) if number % 10 else None,
            status=outcomes[number % 8],
            client_name=("desk", None, "phone")[number % 3],
            principal="ann" if number < 50 else "bob",
            error_type={"error": "ValueError", "unknown_tool": "ToolError"}.get(outcomes[number % 8]),
            output_size=2 * number if number % 6 != 3 else None,
        )
        for number in range(120)
    ]


CALLS = make_calls()
OTHERS = [
    make_entry("line", timestamp=NOW, tool_name="echo"),
    make_entry("read", timestamp=NOW, log_type="framework", status="success", duration_ms=9_999.0, output_size=1),
    make_entry("start", timestamp=NOW, log_type="framework", status="started", tool_name="echo"),
]
STATS_FILTERS: list[tuple[dict[str, Any], Callable[[LogEntry], bool]]] = [
    ({}, lambda _: True),
    ({"limit": 1, "log_type": "framework"}, lambda _: True),
    ({"tool_name": "echo", "principal": "ann"}, lambda call: (call.tool_name, call.principal) == ("echo", "ann")),
    ({"status": "error", "since": NOW - timedelta(days=1)}, lambda call: call in CALLS[:41] and call.status == "error"),
    ({"min_duration_ms": 60}, lambda call: (call.duration_ms or 0) >= 60),
    ({"text": "toolerror"}, lambda call: call.error_type == "ToolError"),
    ({"tool_name": "none"}, lambda _: False),
]
"""Filters, and the calls that match them."""


def without_percentiles(stats: GroupStats) -> GroupStats:
    """Return statistics without the percentiles, and with a rounded mean."""
    size = None if stats.output_size is None else round(stats.output_size, 6)
    return replace(stats, p50_ms=None, p95_ms=None, p99_ms=None, output_p95=None, output_size=size)


def is_near(found: float | None, exact: float | None, values: list[float]) -> bool:
    """Return whether a percentile is at most one call away from the exact one, because a store may interpolate."""
    if found is None or exact is None:
        return found is exact
    index = bisect_left(values, exact)
    smallest, largest = values[max(index - 1, 0)], values[min(index + 1, len(values) - 1)]
    return smallest * 0.999 <= found <= largest * 1.001


def assert_stats(stats: CallStats, calls: list[LogEntry], *, by: Group) -> None:
    """Check the statistics of calls against those that are computed without a store."""
    expected = stats_of(calls, by=by)
    assert stats.is_complete
    assert list(map(without_percentiles, stats.groups)) == list(map(without_percentiles, expected))
    for found, exact in zip(stats.groups, expected, strict=True):
        group = [call for call in calls if stats_of([call], by=by)[0].group == exact.group]
        durations = sorted(call.duration_ms for call in group if call.duration_ms is not None)
        assert is_near(found.p50_ms, exact.p50_ms, durations)
        assert is_near(found.p95_ms, exact.p95_ms, durations)
        assert is_near(found.p99_ms, exact.p99_ms, durations)
        sizes = sorted(float(call.output_size) for call in group if call.output_size is not None)
        assert is_near(found.output_p95, exact.output_p95, sizes)


@readable
async def test_statistics_count_the_matching_calls_by_group(destination: LogDestination) -> None:
    """Failures, durations and sizes are those of the matching calls, whatever the limit; other entries do not count."""
    await destination.write_batch([*CALLS, *OTHERS])
    await find(destination, len(CALLS) + len(OTHERS), limit=1_000)
    for by in GROUPS:
        assert_stats(await destination.stats(by=by), CALLS, by=by)
    for filters, matches in STATS_FILTERS:
        assert_stats(await destination.stats(**filters), [call for call in CALLS if matches(call)], by="tool")


@readable
async def test_a_histogram_counts_the_matching_calls_of_a_period(destination: LogDestination) -> None:
    """Each call is in the bucket of its time, whatever the number of buckets; those outside do not count."""
    late = make_entry("late", timestamp=NOW + timedelta(days=400), log_type="tool_execution", status="success")
    await destination.write_batch([late, *CALLS, *OTHERS])
    await find(destination, 1 + len(CALLS) + len(OTHERS), limit=1_000)
    later, whole = NOW + timedelta(seconds=1), NOW.replace(microsecond=123_000)
    ends = [(later, 72, 1), (later, 30, 7), (later, 24, 60), (later, 100, 250), (whole, 36, 60), (whole, 100, 250)]
    ends += [(NOW, 36, 60), (NOW, 1e-9, 100)]  # at the edges; shorter than microseconds
    periods = [Period(since=end - timedelta(hours=hours), until=end, buckets=count) for end, hours, count in ends]
    for period in [*periods, Period.around(CALLS[-1].timestamp, datetime.now(UTC), most=60)]:
        count = period.buckets
        inside = [call for call in CALLS if period.since <= call.timestamp < period.until]
        for filters, matches in STATS_FILTERS:
            if "since" in filters:
                continue
            found = await destination.histogram(period, **filters)
            assert found == histogram_of(filter(matches, inside), period)
            assert len(found.calls) == len(found.failures) == count


@readable
async def test_the_contents_are_those_of_all_entries(destination: LogDestination) -> None:
    """What a destination cannot tell is None; entries just written count."""
    assert (await destination.contents()).newest is None
    assert await destination.oldest() is None
    await destination.write_batch([*CALLS, *OTHERS])
    oldest = await destination.oldest()
    entries = await find(destination, len(CALLS) + len(OTHERS), limit=1_000)
    contents = await destination.contents()
    assert contents.newest is not None
    assert abs(contents.newest - NOW) < timedelta(milliseconds=1)
    assert contents.entries in {None, len(entries)}
    assert contents.oldest is None or abs(contents.oldest - entries[-1].timestamp) < timedelta(milliseconds=1)
    assert contents.size_bytes is None or contents.size_bytes > 0
    assert (oldest is None) == (contents.oldest is None)
    assert oldest is None or timedelta(0) <= entries[-1].timestamp - oldest <= timedelta(milliseconds=1)


@readable
async def test_an_empty_destination_has_no_statistics(destination: LogDestination) -> None:
    """It does not raise, whether the destination was opened or not."""
    period = Period(since=NOW - timedelta(days=1), until=NOW, buckets=3)
    assert (await destination.stats()).groups == []
    assert await destination.histogram(period) == histogram_of([], period)
    await destination.open()
    assert await destination.stats(by="day", text="x") == CallStats(groups=[])


@readable
async def test_an_entry_keeps_the_time_of_its_event(destination: LogDestination) -> None:
    """A time in another zone becomes the same moment in UTC."""
    moment = (NOW - timedelta(days=2)).replace(hour=1, microsecond=999_999).astimezone(timezone(timedelta(hours=-5)))
    await destination.write(make_entry(timestamp=moment))
    (found,) = await find(destination, 1)
    assert found.timestamp == moment
    assert found.timestamp.tzinfo is UTC


EAST, WEST = (timezone(timedelta(hours=hours)) for hours in (5, -5))
EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
TIMES = [
    (EARLIEST, EARLIEST),
    (EARLIEST.replace(tzinfo=EAST), EARLIEST),
    (LATEST, LATEST),
    (LATEST.replace(tzinfo=WEST), LATEST),
    *((moment, moment) for year in (1900, 1969, 2262, 2300) for moment in [datetime(year, 12, 31, 23, tzinfo=UTC)]),
    *((moment.replace(tzinfo=None), None) for moment in (EARLIEST, NOW, LATEST)),
    *((value, None) for value in (None, "yesterday", 1.5, NOW.date(), "2026-01-01")),
]
"""Times that clocks and code get wrong, each with what is stored; None if that depends on the time zone or on now."""


@every
async def test_an_entry_with_an_impossible_time_blocks_no_other(destination: LogDestination, name: str) -> None:
    """It gets the nearest time that exists, or the current one; only a broker may reject one of the future."""
    entries = [make_entry(str(number), timestamp=value) for number, (value, _) in enumerate(TIMES)]
    buffer = await send(destination, [*entries, make_entry("last")])
    assert buffer.counters.written + buffer.counters.failed == len(TIMES) + 1
    if name in WRITE_ONLY:
        future = [moment for moment, _ in TIMES if isinstance(moment, datetime) and moment.year > NOW.year]
        assert buffer.counters.failed in (0, len(future))
    else:
        assert buffer.counters.failed == 0
        found = {entry.message: entry.timestamp for entry in await find(destination, len(TIMES) + 1)}
        for number, (_, expected) in enumerate(TIMES):
            assert expected in (None, found[str(number)])
    await buffer.close()


ODD = [
    NOW,
    uuid.UUID(int=1),
    b"\xff",
    {1},
    Path("/a"),
    ValueError("v"),
    print,
    Broken(),
    math.nan,
    -math.inf,
    2**70,
    "\ud800",
    "a\0b",
    {1: 2},
    {(1, 2): 3},
    {"$a": 1, "_b": 2, "\u00e9.x": 3},
    "x" * 100_000,
    [[[[[[1]]]]]],
]
"""Values that JSON or a backend cannot express."""


@every
async def test_a_value_that_json_cannot_express_is_stored_as_text(destination: LogDestination, name: str) -> None:
    """The entries were not cleaned before, and each of them arrives."""
    entries = [
        make_entry(str(number), input_args={"odd": odd}, extra_data={"odd": odd}) for number, odd in enumerate(ODD)
    ]
    buffer = await send(destination, entries)
    assert (buffer.counters.written, buffer.counters.last_error) == (len(ODD), None)
    if name not in WRITE_ONLY:
        found = {int(entry.message): entry for entry in await find(destination, len(ODD))}
        empty = [number for number in range(len(ODD)) if found[number].input_args["odd"] in (None, "")]
        assert all(isinstance(ODD[number], float) for number in empty)  # JSON has null for NaN
        assert "v" in found[5].input_args["odd"]
        assert "not readable" in found[7].extra_data["odd"]
        assert found[14].input_args["odd"] == {"(1, 2)": 3}
    await buffer.close()


@every
@pytest.mark.parametrize("message", [object(), "nul \0", "surrogate \ud800", "x" * 5_000_000], ids=range(4))
async def test_an_invalid_entry_costs_no_other_entry(destination: LogDestination, name: str, message: Any) -> None:
    """499 of 500 arrive; the other one arrives, too, or is counted as failed."""
    entries = [make_entry(str(number)) for number in range(500)]
    entries[321].message = message
    buffer = await send(destination, entries)
    counters = buffer.counters
    assert counters.written + counters.failed == 500
    assert counters.failed <= 1
    if name not in WRITE_ONLY:
        found = {entry.message for entry in await find(destination, counters.written, limit=1_000)}
        assert {str(number) for number in range(500) if number != 321} <= found
    await buffer.close()


@write_only
async def test_a_query_of_a_write_only_destination_raises(destination: LogDestination) -> None:
    """The message contains the name of the destination."""
    with pytest.raises(NotImplementedError, match=destination.name):
        await destination.query()
