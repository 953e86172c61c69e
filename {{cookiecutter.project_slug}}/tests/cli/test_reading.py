"""Which destination the command reads, and what it reports if that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import AsyncMock

import pytest
from fake_destinations import ForgetfulDestination, MemoryDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.options import parse
from {{cookiecutter.project_slug}}.cli.reading import filters_of, read_pages
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable

FORGETFUL = "fake_destinations:ForgetfulDestination"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("pigeon", "--from is 'pigeon'; valid are:"),
        ("fake_destinations:WriteOnlyDestination", "There is nothing to read: custom is write-only"),
    ],
)
def test_an_unreadable_source_is_reported(
    recorded: object, source: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and nothing is printed to stdout."""
    assert main(["logs", "--from", source]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)


@pytest.mark.parametrize("queries_before", [0, 5])
def test_a_failing_driver_is_reported_in_one_sentence(
    queries_before: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1, the destination is closed, and a header is printed at most once."""
    query, close = AsyncMock(side_effect=[*[[]] * queries_before, OSError("gone")]), AsyncMock()
    monkeypatch.setattr(ForgetfulDestination, "query", query)
    monkeypatch.setattr(ForgetfulDestination, "close", close)
    monkeypatch.setattr(f"{PACKAGE}.cli.follow.POLL_INTERVAL", 0)
    assert main(["logs", "--follow", "--from", FORGETFUL]) == 1
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (min(queries_before, 1), "forgetful cannot be read: gone\n")
    assert close.await_count == 1


def test_failing_statistics_are_reported_as_a_failing_query_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1."""
    monkeypatch.setattr(ForgetfulDestination, "stats", AsyncMock(side_effect=OSError("gone")))
    assert main(["logs", "stats", "--from", FORGETFUL]) == 1
    assert capsys.readouterr() == ("", "forgetful cannot be read: gone\n")


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (3, [3]), (5, [5]), (12, [5, 5, 2])])
async def test_pages_contain_all_entries(count: int, sizes: list[int]) -> None:
    """No page is empty."""
    memory = MemoryDestination()
    await memory.write_batch([make_entry() for _ in range(count)])
    assert [len(page) async for page in read_pages(memory, size=5)] == sizes


def test_a_level_includes_the_levels_above_it(run_json: Callable[..., list[dict[str, object]]]) -> None:
    """`--level warning` finds errors, too."""
    assert [line["level"] for line in run_json("logs", "--level", "warning")] == ["ERROR", "WARNING"]


def test_a_destination_gets_only_the_filters_that_are_set() -> None:
    """A destination of the user's needs not know those that were added later."""
    assert filters_of(parse(["logs", "--tool", "add", "--min-ms", "5"])[0]) == {
        "tool_name": "add",
        "min_duration_ms": 5,
    }
