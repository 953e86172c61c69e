"""The command: serve, call a tool, or look at recorded entries and the configuration."""

from __future__ import annotations

import io
import os
import sys

from .. import __version__
from .overview import overview

INTERRUPTED = 130
"""The exit code that shells show after SIGINT."""
PIPE_CLOSED = 141
"""The exit code that shells show after SIGPIPE."""


def main(argv: list[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 for a failure, 2 for invalid input."""
    _escape_unencodable_characters()
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the rest of the buffer
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(words: list[str]) -> int:
    """Answer the two questions that need no import; pass everything else on."""
    if words == ["--version"]:
        print(__version__, flush=True)
        return 0
    if words in (["--help"], ["-h"]):
        print(overview(), flush=True)
        return 0
    from .command import run_command  # noqa: PLC0415 - imports pydantic, which takes longer than the rest

    return run_command(words)


def _escape_unencodable_characters() -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
