"""The options of `logs`: which entries, how they are shown, and which action supports what."""

from __future__ import annotations

import argparse
import math
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, get_args

from ..logging.entry import LogType, Status
from ..logging.errors import SettingError
from ..logging.query import LEVELS, MAX_LIMIT, MAX_OFFSET
from ..logging.settings import Method
from ..logging.stats import GROUPS
from .numbers import whole_number
from .suggestions import did_you_mean
from .times import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ACTIONS = ("list", "show", "stats", "resend")
LAST, LAST_ERROR = LAST_ONES = ("last", "last-error")
"""What to write instead of an id: the newest request, and the newest one that failed."""
USAGE = "[list | show ID | stats | resend] [OPTIONS]"
ACTIONS_TEXT = """actions:
  list        list entries, newest first (the default)
  show ID     show one call: the first or last characters of its id, or last, or last-error
  stats       show calls, failures, durations and output sizes per tool
  resend      send entries from this machine again to a production destination"""
LIMIT = 50
"""Entries listed by default."""
TYPES: tuple[LogType, ...] = get_args(LogType)
STATUSES: tuple[Status, ...] = get_args(Status)
METHODS: tuple[Method, ...] = get_args(Method)
FILTER_FLAGS = {
    "tool_name": "--tool",
    "client_name": "--client",
    "principal": "--principal",
    "method": "--method",
    "status": "--status",
    "error_type": "--error-type",
    "level": "--level",
    "log_type": "--type",
    "correlation_id": "--correlation-id",
    "min_duration_ms": "--min-ms",
    "since": "--since",
    "until": "--until",
    "text": "--text",
}
"""The options that choose entries, by their filters."""
ONLY_WITH = {
    "limit": ("--limit", "list"),
    "offset": ("--offset", "list"),
    "slowest": ("--slowest", "list"),
    "follow": ("--follow", "list"),
    "by": ("--by", "stats"),
    "target": ("--to", "resend"),
}
"""The options of a single action."""


def add_logs_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `logs` to its parser."""
    parser.description = ACTIONS_TEXT
    _add_filters(parser)
    _add_paging(parser)
    _add_output(parser)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("which entries")
    group.add_argument("--tool", dest="tool_name", metavar="NAME", help="calls of this tool, and their log lines")
    group.add_argument("--client", dest="client_name", metavar="NAME", help="calls by this client")
    group.add_argument("--principal", metavar="NAME", help="calls by this authenticated user or client id")
    group.add_argument(
        "--method", type=_one_of(METHODS), metavar="NAME", help=f"requests of this kind: {', '.join(METHODS)}"
    )
    group.add_argument("--status", type=_one_of(STATUSES), metavar="STATUS", help=f"outcome: {', '.join(STATUSES)}")
    group.add_argument(
        "--error-type", metavar="CLASS", help="failures with this class, such as ValueError or weather.errors.NotFound"
    )
    group.add_argument("--level", type=_level, metavar="LEVEL", help=f"minimum level: {', '.join(LEVELS)}")
    group.add_argument("--type", dest="log_type", type=_one_of(TYPES), metavar="TYPE", help=", ".join(TYPES))
    group.add_argument("--correlation-id", metavar="ID", help="entries of this request")
    group.add_argument(
        "--min-ms", dest="min_duration_ms", type=_duration, metavar="N", help="calls that took this long or longer"
    )
    group.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help="start: ISO 8601, local without a zone, or an age: 90s, 15m, 2h, 7d",
    )
    group.add_argument("--until", type=moment, metavar="TIME", help="end, in the same forms")
    group.add_argument(
        "--text", help="entries with this text in the message, the reason, the traceback, the arguments or the result"
    )


def _add_paging(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how many, for list")
    group.add_argument(
        "--limit",
        type=_whole(1, MAX_LIMIT),
        metavar="N",
        help=f"maximum number of entries, 1 to {MAX_LIMIT} (default: {LIMIT})",
    )
    group.add_argument("--offset", type=_whole(0, MAX_OFFSET), metavar="N", help="skip this many of the newest entries")
    group.add_argument(
        "--slowest", type=_whole(1, MAX_LIMIT), metavar="N", help="the N calls that took longest, instead of the newest"
    )
    group.add_argument("--follow", action="store_true", default=None, help="keep showing new entries until Ctrl-C")


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("from where, and how")
    group.add_argument("--by", type=_one_of(GROUPS), metavar="GROUP", help=f"stats by {', '.join(GROUPS)}")
    group.add_argument(
        "--from", dest="source", metavar="NAME", help="destination to read (default: the first readable one)"
    )
    group.add_argument(
        "--to", dest="target", metavar="NAME", help="for resend: destination (default: the configured one)"
    )
    group.add_argument("--utc", action="store_true", help="show and read times in UTC instead of local time")
    group.add_argument("--json", action="store_true", default=None, help="one JSON object per line")


def read_action(options: argparse.Namespace, words: Sequence[str]) -> None:
    """Set the action and the id among the words; raise SettingError for any other word or an unsupported option."""
    action, *rest = words or ["list"]
    if action not in ACTIONS:
        near = f"; did you mean logs show {action}?" if action in LAST_ONES else did_you_mean(action, ACTIONS) or "."
        msg = f"unknown action {action!r} of logs{near} The actions are {', '.join(ACTIONS)}."
        raise SettingError(msg)
    options.action = action
    options.id = rest.pop(0) if action == "show" and rest else ""
    if rest:
        msg = f"logs {action} takes {'one id' if action == 'show' else 'no arguments'}, so {rest[0]!r} is unknown"
        raise SettingError(msg)
    _refuse_ignored(options)


def _refuse_ignored(options: argparse.Namespace) -> None:
    """Raise SettingError for an option that would have no effect."""
    for name, (flag, action) in ONLY_WITH.items():
        if getattr(options, name) is not None and options.action != action:
            _fail(f"{flag} works only with logs {action}")
    if options.action == "stats":
        _refuse_other_entries(options)
    if options.action == "resend" and options.json:
        _fail("--json does not work with logs resend: it prints no entries")
    if options.slowest is not None and options.limit is not None:
        _fail("--slowest N already sets the number of entries: leave out --limit")
    if options.slowest is not None and options.follow:
        _fail("--slowest cannot be followed: leave out --follow")


def _refuse_other_entries(options: argparse.Namespace) -> None:
    """Raise SettingError for a filter that suits entries other than tool calls."""
    filters = {"--type": options.log_type, "--method": options.method, "--status started": options.status == "started"}
    for flag, value in filters.items():
        if value:
            _fail(f"{flag} does not work with logs stats: stats count tool calls only")


def _fail(sentence: str) -> NoReturn:
    raise SettingError(sentence)


def _one_of(values: Sequence[str]) -> Callable[[str], str]:
    """Return a parser for one of these words."""

    def read(text: str) -> str:
        if text in values:
            return text
        msg = f"must be one of {', '.join(values)}, not {text!r}{did_you_mean(text, values)}"
        raise argparse.ArgumentTypeError(msg)

    return read


def _level(text: str) -> str:
    return _one_of(LEVELS)(text.upper())


def _whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser for whole numbers in these bounds; argparse names the option."""

    def read(text: str) -> int:
        try:
            return whole_number(text, low, high)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _duration(text: str) -> float:
    with suppress(ValueError):
        if (number := float(text)) >= 0 and math.isfinite(number):
            return number
    msg = f"must be a number of milliseconds, 0 or more, not {text!r}"
    raise argparse.ArgumentTypeError(msg)
