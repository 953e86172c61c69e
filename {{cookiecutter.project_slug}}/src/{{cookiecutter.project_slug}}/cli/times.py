"""Times and durations on the command line: read from options, and shown in the local zone or in UTC."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

from ..logging.errors import SettingError

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
THOUSAND = 1_000
MINUTE = 60
SHORTEST = 0.05
"""Milliseconds that would be rounded to zero."""
DECIMALS_BELOW = 10
"""Milliseconds that are shown with a decimal."""
_AGE = re.compile(r"(\d+)([smhd])")


def moment(text: str) -> datetime:
    """Return the time for ISO 8601 text or an age (`90s`, `15m`, `2h`, `7d`); naive if the text names no zone."""
    try:
        if match := _AGE.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{UNITS[match[2]]: int(match[1])})
        parsed = datetime.fromisoformat(text)
        return parsed if parsed.tzinfo is None else parsed.astimezone(UTC)
    except OverflowError:
        msg = f"{text!r} is outside the years 1 to 9999"
    except ValueError:
        msg = f"{text!r} is neither ISO 8601 (2026-01-31T12:00) nor an age (90s, 15m, 2h, 7d)"
    raise ArgumentTypeError(msg)


class Clock:
    """Show times in the local zone, or in UTC."""

    def __init__(self, *, is_utc: bool = False) -> None:
        self._zone = UTC if is_utc else None  # None is the local zone, with its daylight saving time

    def aware(self, naive: datetime) -> datetime:
        """Return a time of this clock in UTC; raise SettingError if there is none."""
        try:
            return naive.replace(tzinfo=self._zone).astimezone(UTC)
        except (OverflowError, OSError, ValueError) as error:
            msg = f"{naive.isoformat()} cannot be converted to UTC: {error}"
            raise SettingError(msg) from error

    def day(self, moment: datetime) -> str:
        """Return the date and the zone, such as `2026-01-31, CET (+01:00)`."""
        shown = self._shown(moment)
        return f"{shown.date().isoformat()}, {_zone_of(shown)}"

    def time(self, moment: datetime, *, is_precise: bool) -> str:
        """Return the time of day, in seconds or in milliseconds."""
        return self._shown(moment).time().isoformat("milliseconds" if is_precise else "seconds")

    def full(self, moment: datetime) -> str:
        """Return date, time and zone, such as `2026-01-31 12:00:00.000 CET (+01:00)`."""
        shown = self._shown(moment)
        return f"{shown.replace(tzinfo=None).isoformat(' ', 'milliseconds')} {_zone_of(shown)}"

    def _shown(self, moment: datetime) -> datetime:
        try:
            return moment.astimezone(self._zone)
        except (OverflowError, OSError, ValueError):  # at the ends of the calendar
            return moment.astimezone(UTC)


def _zone_of(moment: datetime) -> str:
    offset = f"{moment:%z}"
    offset = f"{offset[:3]}:{offset[3:5]}"
    name = moment.tzname() or ""
    if name == "UTC":
        return name
    return f"{name} ({offset})" if name[:1].isalpha() else f"UTC{offset}"


def duration(milliseconds: float | None) -> str:
    """Return a duration in the unit that suits it; empty for None."""
    if milliseconds is None:
        return ""
    if 0 < milliseconds < SHORTEST:
        return "<0.1 ms"
    if round(milliseconds, 1) < DECIMALS_BELOW:
        return f"{milliseconds:.1f} ms"
    if round(milliseconds) < THOUSAND:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / THOUSAND
    if round(seconds, 1) < MINUTE:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size(count: float | None) -> str:
    """Return a number of bytes in the unit that suits it; empty for None."""
    if count is None:
        return ""
    if round(count) < THOUSAND:
        return f"{count:.0f} B"
    for unit in ("kB", "MB"):
        count /= THOUSAND
        if round(count, 1) < THOUSAND:
            return f"{count:.1f} {unit}"
    return f"{count / THOUSAND:.1f} GB"
