"""What the command says on stderr when nothing matches: where it looked, with which filters, and what there is."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from .logs_options import FILTER_FLAGS
from .output import harmless
from .reading import summarise
from .suggestions import did_you_mean

if TYPE_CHECKING:
    import argparse

    from ..logging.destinations.base import LogDestination
    from ..logging.stats import Group
    from .times import Clock

NAMED: dict[str, tuple[Group, str, str]] = {
    "tool_name": ("tool", "tools", "No calls are recorded."),
    "client_name": ("client", "clients", "No recorded call has a client."),
    "principal": ("principal", "principals", "No recorded call has a principal."),
    "error_type": ("error-type", "error types", "No recorded call has an error type."),
}
"""The filters by a name: the group of statistics that has the names, the word for them, what to say without any."""
MAX_NAMES = 20
"""Names that are listed."""


async def explain_nothing(
    source: LogDestination, options: argparse.Namespace, *, what: Literal["entries", "calls"], clock: Clock
) -> None:
    """Say on stderr that nothing matches these filters; for a name that does not occur, say which do."""
    given = {name: value for name in FILTER_FLAGS if (value := getattr(options, name)) is not None}
    filters = " ".join(f"{FILTER_FLAGS[name]} {_shown(value, clock)}" for name, value in given.items())
    place = f"{what}{' with a duration' if options.slowest else ''} in {source.name}"
    beyond = f" beyond the first {options.offset}" if options.offset else ""
    sentences = [f"No {place} match {filters}{beyond}." if given else f"There are no {place}{beyond}."]
    sentences += [await _known_names(source, given[name], name) for name in NAMED if name in given]
    print(harmless(" ".join(filter(None, sentences))), file=sys.stderr)


async def _known_names(source: LogDestination, given: str, filter_name: str) -> str:
    """Return a sentence with the names that occur; an empty one if the given name does."""
    group, word, without = NAMED[filter_name]
    names = [stats.group for stats in (await summarise(source, by=group)).groups if stats.group]
    if given in names:
        return ""
    if not names:
        return without
    shown = ", ".join(names[:MAX_NAMES]) + (", …" if len(names) > MAX_NAMES else "")
    return f"Recorded {word}: {shown}{did_you_mean(given, names) or '.'}"


def _shown(value: object, clock: Clock) -> str:
    return clock.full(value) if isinstance(value, datetime) else str(value)
