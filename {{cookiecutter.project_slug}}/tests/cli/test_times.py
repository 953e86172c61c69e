"""Times and durations on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.times import Clock, duration, moment, size

from .cli_helpers import NOON

if TYPE_CHECKING:
    from collections.abc import Callable

    SetZone = Callable[[str], None]


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800)])
def test_a_time_may_be_an_age(text: str, seconds: int) -> None:
    """It counts back from now."""
    assert abs((datetime.now(UTC) - moment(text)).total_seconds() - seconds) < 5


def test_a_time_may_be_iso_8601() -> None:
    """Without a zone it stays naive, because an option decides which zone is meant."""
    assert moment("2026-01-31T12:00:00+02:00") == moment("2026-01-31T10:00Z") == NOON - timedelta(hours=2)
    assert moment("2026-01-31T10:00").tzinfo is None


@pytest.mark.parametrize("text", ["yesterday", "9999999d", "0001-01-01T00:00+01:00"])
def test_any_other_time_is_refused(text: str) -> None:
    """The sentence names the text."""
    with pytest.raises(ArgumentTypeError, match=text.replace("+", r"\+")):
        moment(text)


def test_times_are_shown_in_the_local_zone(set_zone: SetZone) -> None:
    """The zone is named, also when daylight saving time changes it."""
    set_zone("Europe/Berlin")
    clock = Clock()
    assert clock.full(NOON) == "2026-01-31 13:00:00.000 CET (+01:00)"
    assert clock.day(NOON + timedelta(days=180)) == "2026-07-30, CEST (+02:00)"
    assert clock.time(NOON, is_precise=True) == "13:00:00.000"
    assert Clock(is_utc=True).full(NOON) == "2026-01-31 12:00:00.000 UTC"


def test_a_zone_without_a_name_is_shown_by_its_offset(set_zone: SetZone) -> None:
    """Many zones have only a number."""
    set_zone("America/Sao_Paulo")
    assert Clock().day(NOON) == "2026-01-31, UTC-03:00"


def test_the_ends_of_the_calendar_can_be_shown(set_zone: SetZone) -> None:
    """They are shown in UTC if the local zone would leave the calendar."""
    set_zone("America/New_York")
    assert Clock().day(datetime.min.replace(tzinfo=UTC)) == "0001-01-01, UTC"


def test_a_time_without_a_zone_is_local_and_the_command_says_so(
    recorded: object, set_zone: SetZone, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--utc`, it is UTC, which needs no remark."""
    set_zone("America/New_York")
    assert main(["logs", "--since", "2020-01-31T07:00", "--until", "2020-02-01T00:00Z"]) == 0
    assert capsys.readouterr().err == (
        "--since is read as local time: 2020-01-31 07:00:00.000 EST (-05:00)\n"
        "No entries in jsonl match --since 2020-01-31 07:00:00.000 EST (-05:00) "
        "--until 2020-01-31 19:00:00.000 EST (-05:00).\n"
    )
    assert main(["logs", "--since", "2020-01-31T07:00", "--until", "2020-02-01T00:00Z", "--utc"]) == 0
    assert "local" not in capsys.readouterr().err


def test_a_local_time_outside_the_calendar_is_refused(
    recorded: object, set_zone: SetZone, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2."""
    set_zone("Europe/Berlin")
    assert main(["logs", "--since", "0001-01-01"]) == 2
    assert capsys.readouterr().err.startswith("0001-01-01T00:00:00 cannot be converted to UTC: ")


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, ""),
        (0.0, "0.0 ms"),
        (0.04, "<0.1 ms"),
        (0.4, "0.4 ms"),
        (9.96, "10 ms"),
        (12.3, "12 ms"),
        (999.6, "1.0 s"),
        (1_234.0, "1.2 s"),
        (59_960.0, "1 min 0 s"),
        (125_000.0, "2 min 5 s"),
        (3_720_000.0, "1 h 2 min"),
    ],
)
def test_a_duration_has_the_unit_that_suits_it(milliseconds: float | None, text: str) -> None:
    """Rounding never shows 1000 ms or 60.0 s."""
    assert duration(milliseconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, ""), (27, "27 B"), (999.6, "1.0 kB"), (1_234, "1.2 kB"), (5e6, "5.0 MB"), (3e9, "3.0 GB")],
)
def test_a_size_has_the_unit_that_suits_it(count: float | None, text: str) -> None:
    """Units are decimal."""
    assert size(count) == text
