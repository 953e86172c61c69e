"""`logs`: which entries each option finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.project_slug}}.logging.entry import FIELD_NAMES

from .cli_helpers import ENTRIES, ago, make_call

if TYPE_CHECKING:
    from collections.abc import Callable

    RunJson = Callable[..., list[dict[str, Any]]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [0, 1, 2, 3]),
        (["list"], [0, 1, 2, 3]),
        (["--tool", "add"], [0, 1]),
        (["--client", "desktop"], [1]),
        (["--principal", "ada"], [1]),
        (["--method", "tools/call"], [1]),
        (["--error-type", "ValueError"], [1]),
        (["--min-ms", "30"], [1]),
        (["--slowest", "2"], [1, 0]),
        (["--slowest", "1", "--offset", "1"], [0]),
        (["--level", "warning"], [1, 3]),
        (["--type", "framework"], [3]),
        (["--status", "error"], [1]),
        (["--correlation-id", "c-1"], [0, 2, 3]),
        (["--text", "100%"], [1]),
        (["--text", "valueerror"], [1]),
        (["--text", "_"], []),
        (["--limit", "2"], [0, 1]),
        (["--limit", "2", "--offset", "1"], [1, 2]),
        (["--since", "2h"], [0]),
        (["--since", "5d", "--until", "2h"], [1, 2]),
        (["--since", ago(hours=4).isoformat(), "--until", ago(minutes=5).isoformat()], [1]),
        (["--tool", "add", "--status", "success", "--since", "1d"], [0]),
    ],
)
def test_logs_lists_matching_entries_newest_first(run_json: RunJson, arguments: list[str], expected: list[int]) -> None:
    """Each line is a JSON object with the fields of an entry."""
    lines = run_json("logs", *arguments)
    assert [line["entry_id"] for line in lines] == [ENTRIES[index].entry_id for index in expected]
    assert all(tuple(line) == FIELD_NAMES for line in lines)


def test_the_slowest_calls_are_those_of_all_times(run_json: RunJson, recorded: Callable[..., None]) -> None:
    """The newest 50 entries are no limit."""
    recorded(*[make_call(duration_ms=float(number), timestamp=ago(days=number)) for number in range(100)])
    assert [line["duration_ms"] for line in run_json("logs", "--slowest", "3")] == [99.0, 98.0, 97.0]
