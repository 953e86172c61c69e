"""The options of the command: one per setting, and those of each verb."""

from __future__ import annotations

import argparse
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

from .. import __version__
from ..choices import COMMAND, DESCRIPTION
from ..config import ServerConfig, is_secret
from ..logging.entry import LogType, Status
from ..logging.errors import SettingError
from ..logging.query import LEVELS, MAX_LIMIT, MAX_OFFSET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ALIASES = {"config_file": ["--config"], "http_host": ["--host"], "http_port": ["--port"]}
"""Shorter names for options."""
VERBS = {
    "serve": "serve MCP clients (the default)",
    "logs": "list, follow, summarise or resend recorded entries",
    "doctor": "check the configuration and write a test entry to each destination",
}
LIMIT = 50
"""Entries listed by default."""
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
TYPES: tuple[LogType, ...] = get_args(LogType)
STATUSES: tuple[Status, ...] = get_args(Status)
PAGING = {"limit": "--limit", "offset": "--offset", "follow": "--follow"}
IGNORED = {
    "list": {"target": "--to"},
    "stats": {**PAGING, "target": "--to", "log_type": "--type"},
    "resend": {**PAGING, "json": "--json"},
}
"""The options that each action of `logs` does not support."""
WHY = {
    "list": "it sends nothing",
    "stats": "it summarises all calls between --since and --until",
    "resend": "it sends all entries between --since and --until",
}
"""The reasons."""
_AGE = re.compile(r"(\d+)([smhd])")


def parse(argv: Sequence[str] | None = None) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Return the options of the verb, and the settings given as options; exit with 2 if they are invalid."""
    options = _parser().parse_args(argv)
    given = {name: value for name, value in vars(options).items() if name in ServerConfig.model_fields}
    return options, given


def refuse_ignored(options: argparse.Namespace) -> None:
    """Raise SettingError for an option that the action of `logs` does not support."""
    for name, flag in IGNORED[options.action].items():
        if getattr(options, name) is not None:
            msg = f"logs {options.action} does not support {flag}: {WHY[options.action]}"
            raise SettingError(msg)


def moment(text: str) -> datetime:
    """Return the time for ISO 8601 text (UTC without a zone) or an age (`90s`, `15m`, `2h`, `7d`)."""
    try:
        if match := _AGE.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{UNITS[match[2]]: int(match[1])})
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        msg = f"{text!r} is outside the years 1 to 9999"
    except ValueError:
        msg = f"{text!r} is neither ISO 8601 (2026-01-31T12:00) nor an age (90s, 15m, 2h, 7d)"
    raise argparse.ArgumentTypeError(msg)


def _whole(low: int, high: int) -> Callable[[str], int]:
    """Return a parser for whole numbers in these bounds."""

    def read(text: str) -> int:
        with suppress(ValueError):
            if low <= (number := int(text)) <= high:
                return number
        msg = f"must be between {low} and {high}, not {text!r}"
        raise argparse.ArgumentTypeError(msg)

    return read


def _parser() -> argparse.ArgumentParser:
    settings = _settings_parser()
    text = f"{DESCRIPTION.rstrip('.')}. Without a verb, serve."
    if "%(prog)" in text:  # the one case in which argparse formats a description
        text = text.replace("%", "%%")
    usage = "%(prog)s [VERB] [OPTIONS]"
    parser = argparse.ArgumentParser(prog=COMMAND, usage=usage, description=text, parents=[settings])
    parser.add_argument("--version", action="version", version=__version__)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", prog=COMMAND)
    parsers = {
        name: verbs.add_parser(name, usage="%(prog)s [OPTIONS]", parents=[settings], help=text)
        for name, text in VERBS.items()
    }
    parsers["logs"].usage = "%(prog)s [ACTION] [OPTIONS]"
    _add_logs(parsers["logs"])
    return parser


def _settings_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = parser.add_argument_group("settings", "each is also an environment variable: --log-level is LOG_LEVEL")
    for name, field in ServerConfig.model_fields.items():
        names = [f"--{name.replace('_', '-')}", *ALIASES.get(name, [])]
        text = (field.description or "").replace("%", "%%")
        if is_secret(name):
            text += " Prefer the environment: other users can see the options of a process."
        if field.annotation is bool:
            group.add_argument(
                *names, dest=name, type=_switch, nargs="?", const="true", metavar="true|false", help=text
            )
        else:
            group.add_argument(*names, dest=name, metavar=name.rpartition("_")[2].upper(), help=text)
    return parser


def _switch(text: str) -> str:
    if text in VERBS:
        msg = f"{text!r} is read as its value: put the verb first, or `true` in between"
        raise argparse.ArgumentTypeError(msg)
    return text


def _add_logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action", nargs="?", choices=("list", "stats", "resend"), default="list",
        help="list entries (default), stats per tool, or resend entries from this machine to a production destination",
    )  # fmt: skip
    parser.add_argument("--from", dest="source", metavar="NAME", help="destination to read (the first readable one)")
    parser.add_argument(
        "--to",
        dest="target",
        metavar="NAME",
        help="destination to resend to (the configured one); resend only",
    )
    parser.add_argument("--tool", dest="tool_name", metavar="NAME", help="only calls of this tool")
    parser.add_argument("--level", type=str.upper, choices=LEVELS, help="minimum level")
    parser.add_argument("--type", dest="log_type", choices=TYPES, help="only entries of this type; not with stats")
    parser.add_argument("--status", choices=STATUSES, help="only calls with this outcome")
    parser.add_argument("--correlation-id", metavar="ID", help="only entries of this request")
    parser.add_argument("--since", type=moment, metavar="TIME", help="start, as ISO 8601 or an age: 90s, 15m, 2h, 7d")
    parser.add_argument("--until", type=moment, metavar="TIME", help="end, as ISO 8601 or an age")
    parser.add_argument("--text", help="only entries that contain this text")
    parser.add_argument(
        "--limit", type=_whole(1, MAX_LIMIT), metavar="N",
        help=f"maximum number of entries, 1 to {MAX_LIMIT} (default: {LIMIT}); list only",
    )  # fmt: skip
    parser.add_argument(
        "--offset", type=_whole(0, MAX_OFFSET), metavar="N", help="skip this many of the newest entries; list only"
    )
    parser.add_argument(
        "--follow", action="store_true", default=None, help="keep showing new entries until Ctrl-C; list only"
    )
    parser.add_argument("--json", action="store_true", default=None, help="one JSON object per line; not with resend")
