"""`logs stats`: calls by group."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from fake_destinations import JsonLinesDestination

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.stats import lines_of
from {{cookiecutter.project_slug}}.logging.stats import GROUPS, CallStats, GroupStats

from .cli_helpers import NARROW, PIPE, WIDE, ago, make_call

if TYPE_CHECKING:
    from collections.abc import Callable

    RunJson = Callable[..., list[dict[str, Any]]]

SLOW = GroupStats(
    group="slow",
    calls=1_000,
    failures=125,
    p50_ms=0.4,
    p95_ms=12.3,
    p99_ms=999.6,
    max_ms=125_000.0,
    output_size=1_234.5,
    output_p95=20_000,
    output_total=1_234_500,
)
UNKNOWN = GroupStats(group=None, calls=1, failures=0)


def test_stats_counts_the_calls_of_each_tool(run_json: RunJson, recorded: Callable[..., None]) -> None:
    """Filters apply; log lines do not count; a call that needs input is not a failure."""
    assert run_json("logs", "stats") == [
        {
            "tool": "add",
            "calls": 2,
            "failures": 1,
            "failure_rate": 0.5,
            "p50_ms": 10.0,
            "p95_ms": 30.0,
            "p99_ms": 30.0,
            "max_ms": 30.0,
            "output_size": None,
            "output_p95": None,
            "output_total": None,
        }
    ]
    assert run_json("logs", "stats", "--since", "2h")[0]["calls"] == 1
    recorded(make_call("b", "input_required", duration_ms=5.0, output_size=7))
    (row,) = (row for row in run_json("logs", "stats") if row["tool"] == "b")
    assert (row["failures"], row["output_size"], row["output_p95"], row["output_total"]) == (0, 7.0, 7, 7)


@pytest.mark.parametrize("by", GROUPS)
def test_stats_groups_by(run_json: RunJson, by: str) -> None:
    """Each group is a JSON object; its first key is what it was grouped by."""
    rows = run_json("logs", "stats", "--by", by)
    assert sum(row["calls"] for row in rows) == 2
    assert {next(iter(row)) for row in rows} == {by.replace("-", "_")}


def test_days_are_in_order_and_other_groups_by_calls(run_json: RunJson, recorded: Callable[..., None]) -> None:
    """The newest day is the last."""
    recorded(*[make_call("many", timestamp=ago(days=9, minutes=number)) for number in range(9)])
    days = [row["day"] for row in run_json("logs", "stats", "--by", "day")]
    assert days == sorted(days)
    assert [row["tool"] for row in run_json("logs", "stats")] == ["many", "add"]


def test_a_terminal_shows_units_and_a_pipe_exact_numbers() -> None:
    """A tool with a long name leaves room for its numbers."""
    assert lines_of([SLOW, UNKNOWN], by="tool", terminal=NARROW) == [
        "tool    calls  failed   rate     p50    p95    p99        max  output\n",
        "slow     1000     125  12.5%  0.4 ms  12 ms  1.0 s  2 min 5 s  1.2 kB\n",
        "(none)      1       0   0.0%\n",
    ]
    long = replace(SLOW, group="a_tool_with_a_name_that_is_long")
    assert lines_of([long], by="tool", terminal=NARROW)[1] == (
        "a_tool_with_a_na\u2026   1000     125  12.5%  0.4 ms  12 ms  1.0 s  2 min 5 s  1.2 kB\n"
    )
    head, slow, unknown = lines_of([SLOW, UNKNOWN], by="error-type", terminal=PIPE)
    durations = ["p50_ms", "p95_ms", "p99_ms", "max_ms"]
    sizes = ["output_bytes", "output_p95_bytes", "output_total_bytes"]
    assert head.split() == ["error_type", "calls", "failures", "failure_rate", *durations, *sizes]
    numbers = ["0.125", "0.400", "12.300", "999.600", "125000.000", "1234.500", "20000.000", "1234500.000"]
    assert slow.split() == ["slow", "1000", "125", *numbers]
    assert unknown.split() == ["(none)", "1", "0", "0.000", *["-"] * 7]


def test_error_types_have_their_module() -> None:
    """As `--error-type` needs it."""
    group = replace(SLOW, group="weather.errors.NotFound")
    assert lines_of([group], by="error-type", terminal=WIDE)[1].startswith("weather.errors.NotFound  ")


def test_periods_are_in_utc_and_say_so() -> None:
    """The destinations group them."""
    assert lines_of([SLOW], by="day", terminal=NARROW)[0].startswith("day (UTC)  ")


def test_partial_statistics_say_so(
    recorded: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A destination that cannot compute them itself counts only the newest calls."""

    async def partial(*_: Any, **__: Any) -> CallStats:
        return CallStats(groups=[SLOW], is_complete=False)

    monkeypatch.setattr(JsonLinesDestination, "stats", partial)
    assert main(["logs", "stats"]) == 0
    assert capsys.readouterr().err == "These are the statistics of the newest 10,000 calls.\n"
