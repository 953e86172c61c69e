"""The verb `logs`: list, show, summarise or resend recorded entries."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from .logs_options import FILTER_FLAGS
from .output import Terminal
from .reading import open_readable
from .times import Clock

if TYPE_CHECKING:
    import argparse

    from ..config import ServerConfig
    from ..logging.destinations.base import LogDestination


async def run_logs(options: argparse.Namespace, config: ServerConfig) -> int:
    """Run `logs`; return the exit code. Raise SettingError for invalid options, DeliveryError for a failed query."""
    clock = Clock(is_utc=options.utc)
    _resolve_times(options, clock)
    if options.action == "resend":
        from .resend import resend  # noqa: PLC0415 - each action imports only what it needs

        return await resend(options, config)
    async with open_readable(options.source, config) as source:
        await _show(source, options, terminal=Terminal.of_stdout(), clock=clock)
    return 0


async def _show(source: LogDestination, options: argparse.Namespace, *, terminal: Terminal, clock: Clock) -> None:
    if options.action == "show":
        from .show import show_request  # noqa: PLC0415

        await show_request(source, options, terminal=terminal, clock=clock)
    elif options.action == "stats":
        from .stats import show_stats  # noqa: PLC0415

        await show_stats(source, options, terminal=terminal, clock=clock)
    elif options.follow:
        from .follow import follow  # noqa: PLC0415

        await follow(source, options, terminal=terminal, clock=clock)
    else:
        from .listing import show_list  # noqa: PLC0415

        await show_list(source, options, terminal=terminal, clock=clock)


def _resolve_times(options: argparse.Namespace, clock: Clock) -> None:
    """Read times without a zone as times of the clock, and say so on stderr."""
    for name in ("since", "until"):
        moment = getattr(options, name)
        if moment is not None and moment.tzinfo is None:
            moment = clock.aware(moment)
            setattr(options, name, moment)
            if not options.utc:
                print(f"{FILTER_FLAGS[name]} is read as local time: {clock.full(moment)}", file=sys.stderr)
