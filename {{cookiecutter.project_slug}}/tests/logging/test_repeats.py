"""Lines that drivers repeat are shown once in a while, with their number."""

from __future__ import annotations

import pytest
from helpers import make_entry

from {{cookiecutter.project_slug}}.logging.entry import LogEntry
from {{cookiecutter.project_slug}}.logging.repeats import INTERVAL, MAX_LINES, RepeatedLines


class Clock:
    """A clock that a test sets."""

    seconds = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


def driver_line(message: str, **values: object) -> LogEntry:
    """Return a warning of a driver."""
    return make_entry(message, **{"module": "driver.pool", "level": "WARNING", **values})


def messages(lines: RepeatedLines, *entries: LogEntry) -> list[str]:
    """Return the messages that are shown for entries."""
    return [shown.message for entry in entries if (shown := lines.shown(entry)) is not None]


def test_the_first_line_is_shown_at_once_and_its_repeats_once_per_interval() -> None:
    """Numbers, addresses and ids may differ; the next line that is shown has the number of those that were not."""
    clock = Clock()
    lines = RepeatedLines(now=clock)
    texts = [f"node {n} at ('10.0.0.{n}', {n}) <0x7f{n:x}a> [5d41402abc4b2a76b{n}] is down" for n in range(100)]
    assert messages(lines, *map(driver_line, texts)) == texts[:1]
    clock.seconds = INTERVAL
    again = driver_line("node 7 at ('10.0.0.7', 7) <0xff> [cafe0123] is down")
    assert messages(lines, again, again) == [f"{again.message} (repeated 99 times in 30 s)"]
    clock.seconds = 3 * INTERVAL
    assert messages(lines, again) == [f"{again.message} (repeated once in 60 s)"]
    clock.seconds = 4 * INTERVAL
    assert messages(lines, again) == [again.message]


@pytest.mark.parametrize(
    "other",
    [
        {"message": "node 1 is up"},
        {"level": "ERROR"},
        {"module": "driver.other"},
        {"error_type": "OSError"},
        {"error_message": "refused"},
    ],
)
def test_different_lines_are_shown(other: dict[str, str]) -> None:
    """Each of them is new."""
    line = driver_line("node 1 is down")
    another = driver_line(**{"message": line.message, **other})
    assert messages(RepeatedLines(), line, another, line) == [line.message, another.message]


@pytest.mark.parametrize("values", [{"level": "DEBUG"}, {"level": "TRACE"}, {"module": LogEntry.__module__}])
def test_only_lines_of_drivers_from_info_on_are_held_back(values: dict[str, str]) -> None:
    """Details are wanted as they are, and this project limits its own lines."""
    line = driver_line("again", **values)
    assert messages(RepeatedLines(), line, line) == ["again", "again"]


def test_what_was_held_back_is_shown_in_the_end() -> None:
    """The last line of each kind, unless it was not repeated."""
    clock = Clock()
    lines = RepeatedLines(now=clock)
    messages(lines, *(driver_line(f"down {n}") for n in range(5)), driver_line("once"))
    clock.seconds = 12
    assert [entry.message for entry in lines.rest()] == ["down 4 (repeated 4 times in 12 s)"]


def test_the_memory_is_bounded() -> None:
    """A driver whose lines all differ has all of them shown."""
    lines = RepeatedLines()
    different = [driver_line("x" * number) for number in range(2 * MAX_LINES)]
    assert len(messages(lines, *different)) == len(different)
    assert len(lines._lines) <= MAX_LINES
