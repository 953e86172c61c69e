"""The command: no verb serves; `logs` and `doctor` look at what was recorded and at what is configured."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from typing import TYPE_CHECKING

from ..config import load_config
from ..logging.errors import LoggingError, SettingError
from .options import parse

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

INTERRUPTED = 130
PIPE_CLOSED = 141
"""What shells show for a command that SIGPIPE ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, 1 for what failed, 2 for what was asked wrongly."""
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
        print(error, file=sys.stderr)
        return 2 if isinstance(error, SettingError) else 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left in the buffer
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED


def _print_all(verb: Coroutine[None, None, int]) -> int:
    """Run a verb until all that it printed is out, so that a closed pipe is not found by the interpreter's end."""
    code = asyncio.run(verb)
    sys.stdout.flush()
    return code
