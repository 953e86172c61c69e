"""Statistics of calls, computed from entries."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.stats import GroupStats, stats_of


def call(
    tool: str | None = "add", status: str = "success", duration_ms: float | None = 1.0, **values: object
) -> object:
    """Return the entry of a call."""
    return make_entry(log_type="tool_execution", tool_name=tool, status=status, duration_ms=duration_ms, **values)


def test_only_calls_count() -> None:
    """Log lines, resource reads and started calls carry the name of a tool, too."""
    others = [make_entry(log_type=kind, tool_name="add", status="started") for kind in ("internal", "framework")]
    assert [stats.calls for stats in stats_of([call(), *others], by="tool")] == [1]


def test_percentiles_are_the_durations_of_calls() -> None:
    """The nearest rank: the smallest duration that at least that share of the calls does not exceed."""
    (stats,) = stats_of([call(duration_ms=float(number)) for number in range(1, 101)], by="tool")
    assert (stats.p50_ms, stats.p95_ms, stats.p99_ms, stats.max_ms) == (50, 95, 99, 100)
    (one,) = stats_of([call(duration_ms=7.0)], by="tool")
    assert (one.p50_ms, one.p95_ms, one.p99_ms, one.max_ms) == (7, 7, 7, 7)


def test_everything_but_success_is_a_failure() -> None:
    """`input_required` does not count as a failure."""
    statuses = ["success", "input_required", "error", "cancelled", "validation_error", "unknown_tool"]
    (stats,) = stats_of([call(status=status) for status in statuses], by="tool")
    assert (stats.calls, stats.failures) == (6, 4)
    assert stats.failure_rate == pytest.approx(4 / 6)


def test_unknown_durations_and_sizes_are_left_out() -> None:
    """What no call has is None."""
    (stats,) = stats_of([call(duration_ms=None), call(duration_ms=None)], by="tool")
    assert stats == GroupStats(group="add", calls=2, failures=0)
    (sized,) = stats_of([call(output_size=10), call(output_size=20), call()], by="tool")
    assert (sized.output_size, sized.output_total) == (15, 30)


def test_the_size_of_results_has_a_percentile_and_a_total() -> None:
    """The total is what a tool has put into the contexts of models."""
    (stats,) = stats_of([call(output_size=number) for number in range(1, 101)], by="tool")
    assert (stats.output_p95, stats.output_total) == (95, 5_050)


GROUPS = {
    "tool": "add",
    "client": "Inspector",
    "principal": "alice",
    "day": "2026-01-31",
    "hour": "2026-01-31T12",
    "error-type": "KeyError",
}


@pytest.mark.parametrize(("by", "group"), GROUPS.items())
def test_calls_are_grouped(by: str, group: str) -> None:
    """The largest group comes first; periods are those of UTC."""
    values = {"client_name": "Inspector", "principal": "alice", "error_type": "KeyError"}
    many = [call(timestamp=datetime(2026, 1, 31, 12, 59, tzinfo=UTC), **values)] * 2
    one = call("other", timestamp=datetime(2026, 2, 1, 1, tzinfo=UTC))
    largest = stats_of([one, *many], by=by)[0]
    assert (largest.group, largest.calls) == (group, 2)
