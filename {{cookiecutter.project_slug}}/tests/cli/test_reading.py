"""Which destination the command reads, and what it reports if that fails."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import AsyncMock

import pytest
from fake_destinations import ForgetfulDestination, MemoryDestination
from helpers import make_entry

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.reading import read_pages
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable


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
    """The exit code is 1, the destination is closed, and the header is printed at most once."""
    query, close = AsyncMock(side_effect=[*[[]] * queries_before, OSError("gone")]), AsyncMock()
    monkeypatch.setattr(ForgetfulDestination, "query", query)
    monkeypatch.setattr(ForgetfulDestination, "close", close)
    monkeypatch.setattr(f"{PACKAGE}.cli.logs.POLL_INTERVAL", 0)
    assert main(["logs", "--follow", "--from", "fake_destinations:ForgetfulDestination"]) == 1
    out, err = capsys.readouterr()
    assert (out.count("\n"), err) == (min(queries_before, 1), "forgetful cannot be read: gone\n")
    assert close.await_count == 1


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (3, [3]), (5, [5]), (12, [5, 5, 2])])
async def test_pages_contain_all_entries(count: int, sizes: list[int]) -> None:
    """No page is empty."""
    memory = MemoryDestination()
    await memory.write_batch([make_entry() for _ in range(count)])
    assert [len(page) async for page in read_pages(memory, size=5)] == sizes


def test_a_level_includes_the_levels_above_it(run_json: Callable[..., list[dict[str, object]]]) -> None:
    """`--level warning` finds errors, too."""
    assert [line["level"] for line in run_json("logs", "--level", "warning")] == ["ERROR", "WARNING"]
