"""The command: no verb serves; `logs` and `doctor` look at what was recorded and at what is configured."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
import sys
from typing import TYPE_CHECKING

from ..config import load_config
from ..logging.destinations.console import printable
from ..logging.errors import LoggingError, SettingError
from ..logging.redaction import Redactor
from .options import parse

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

INTERRUPTED = 130
PIPE_CLOSED = 141
"""What shells show for a command that SIGPIPE ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for what failed, 2 for what was asked wrongly."""
    _tame_streams()
    options, settings = parse(argv)
    try:
        config = load_config(**settings)
        if options.verb == "logs":
            from .logs import run_logs  # noqa: PLC0415 - a verb's imports are paid by that verb only

            return _print_all(run_logs(options, config))
        if options.verb == "doctor":
            from .doctor import run_doctor  # noqa: PLC0415

            return _print_all(run_doctor(config))
        gc.disable()  # the SDK's imports make objects, not garbage; `serve` switches it on again
        from ..server.serve import serve  # noqa: PLC0415

        return serve(config)
    except LoggingError as error:
        is_ours = isinstance(error, SettingError)  # and a sentence a line; any other holds what a backend said
        print(*map(harmless, str(error).split("\n") if is_ours else [str(error)]), sep="\n", file=sys.stderr)
        return 2 if is_ours else 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left in the buffer
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED


def harmless(text: str) -> str:
    """Return what others say, on one line, without secrets and without what a terminal obeys."""
    return printable(Redactor().text(text))


class _HarmlessFormatter(logging.Formatter):
    """Shows lines that are logged before the server's own logging begins, and by verbs that have none."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record on one line."""
        return harmless(super().format(record))


def _tame_streams() -> None:
    """Let stdout and stderr show as an escape what their encoding lacks, and obey nothing that is logged."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_HarmlessFormatter())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _print_all(verb: Coroutine[None, None, int]) -> int:
    """Run a verb until all that it printed is out, so that a closed pipe is not found by the interpreter's end."""
    code = asyncio.run(verb)
    sys.stdout.flush()
    return code
