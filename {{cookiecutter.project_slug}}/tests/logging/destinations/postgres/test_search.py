"""Queries and statistics on a real PostgreSQL server."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.stats import Group, stats_of

from . import postgres_helpers
from .postgres_helpers import with_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from {{cookiecutter.project_slug}}.logging.destinations.postgres import PostgresDestination

no_libpq_variables = postgres_helpers.no_libpq_variables
admin, table, make = postgres_helpers.admin, postgres_helpers.table, postgres_helpers.make

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.integration
async def test_an_id_is_found_by_how_it_begins_or_ends(make: Callable[..., PostgresDestination]) -> None:
    """No character of it is special, its case counts, and it may be the id of the entry or of the call."""
    ids = [("a1b2c3", "x"), ("y", "a1zz"), ("z", "0a1b"), ("%_", "back\\slash"), ("plain", "x%y")]
    destination = make()
    await destination.write_batch(
        [make_entry(str(number), entry_id=own, correlation_id=call) for number, (own, call) in enumerate(ids)]
    )

    async def find(text: str) -> set[str]:
        return {entry.message for entry in await destination.query(any_id=text)}

    assert await find("a1") == {"0", "1"}
    assert await find("b2c3") == {"0"}
    assert await find("a1b") == {"0", "2"}
    assert await find("1b2") == set()
    assert await find("A1") == set()
    assert await find("0a1b") == {"2"}
    assert await find("much longer than any id") == set()
    assert await find("%") == {"3"}
    assert await find("_") == {"3"}
    assert await find("k\\slash") == {"3"}


ENTRIES = [
    make_entry("newest", timestamp=NOON, client_name="editor", principal="ada", method="tools/call", duration_ms=10.0),
    make_entry("slow", timestamp=NOON - timedelta(hours=1), error_type="KeyError", duration_ms=500.0, traceback="in b"),
    make_entry("as slow", timestamp=NOON - timedelta(hours=2), client_name="Editor", duration_ms=500.0, target="c://d"),
    make_entry("line", timestamp=NOON - timedelta(hours=3), principal="%", method="prompts/get"),
]
"""Entries, newest first."""


@pytest.mark.integration
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"client_name": "editor"}, [0]),
        ({"principal": "%"}, [3]),
        ({"error_type": "KeyError"}, [1]),
        ({"error_type": "keyerror"}, []),
        ({"method": "prompts/get"}, [3]),
        ({"method": "tools/call", "principal": "ada"}, [0]),
        ({"min_duration_ms": 10.0}, [0, 1, 2]),
        ({"min_duration_ms": 10.1}, [1, 2]),
        ({"slowest": True}, [1, 2, 0]),
        ({"slowest": True, "limit": 1, "offset": 1}, [2]),
        ({"slowest": True, "client_name": "editor"}, [0]),
        ({"text": "keyERR"}, [1]),
        ({"text": "IN B"}, [1]),
        ({"text": "c://"}, [2]),
    ],
)
async def test_a_filter_finds_exactly_the_matching_entries(
    make: Callable[..., PostgresDestination], filters: dict[str, Any], expected: list[int]
) -> None:
    """The newest or the slowest comes first."""
    destination = make()
    await destination.write_batch(ENTRIES[::-1])
    found = await destination.query(**filters)
    assert [entry.message for entry in found] == [ENTRIES[index].message for index in expected]


def make_call(number: int) -> Any:
    """Return the entry of a call; the fields of 200 of them differ in every way that statistics count."""
    return make_entry(
        f"call {number}",
        timestamp=NOON + timedelta(minutes=17 * number),
        log_type="tool_execution",
        tool_name=["add", "fetch", "search", None][number % 7 % 4],
        client_name=["editor", None][number % 2],
        principal=["ada", "bob", "eve"][number % 3],
        status=["success", "error", "input_required", "cancelled", None][number % 5],
        error_type=[None, "KeyError"][number % 5 == 1],
        duration_ms=None if number % 11 == 0 else math.sin(number) ** 2 * 1000,
        output_size=None if number % 3 == 0 else number * 10,
    )


@pytest.mark.integration
@pytest.mark.parametrize("by", get_args(Group))
async def test_the_server_computes_the_statistics(make: Callable[..., PostgresDestination], by: Group) -> None:
    """They equal those computed from the entries; days and hours are in UTC, whatever the time zone of the session."""
    destination = make(with_option("timezone=Asia/Tokyo"))
    await destination.write_batch([*map(make_call, range(200)), *(make_entry("line", tool_name="add") for _ in "ab")])
    stored = await destination.query(limit=1_000)
    stats = await destination.stats(by=by)
    expected = stats_of(stored, by=by)
    assert stats.is_complete
    assert [group.group for group in stats.groups] == [group.group for group in expected]
    for group, other in zip(stats.groups, expected, strict=True):
        assert group.output_size == pytest.approx(other.output_size)
        assert (group.calls, group.failures) == (other.calls, other.failures)
        assert (group.p50_ms, group.p95_ms, group.p99_ms, group.max_ms) == (
            other.p50_ms,
            other.p95_ms,
            other.p99_ms,
            other.max_ms,
        )


@pytest.mark.integration
async def test_statistics_count_only_the_matching_calls(make: Callable[..., PostgresDestination]) -> None:
    """All filters apply; without a matching call, or without a table, there are no groups."""
    destination = make()
    assert (await destination.stats()).groups == []
    calls = [make_call(number) for number in range(100)]
    await destination.write_batch(calls)
    filters = {"since": NOON + timedelta(hours=5), "client_name": "editor", "min_duration_ms": 100.0}
    groups = (await destination.stats(by="principal", **filters)).groups
    expected = stats_of(await destination.query(**filters), by="principal")
    assert [(group.group, group.calls) for group in groups] == [(group.group, group.calls) for group in expected]
    assert sum(group.calls for group in groups) < 50
    assert (await destination.stats(by="tool", tool_name="nothere")).groups == []
