"""The command: serve, or look at recorded entries and the configuration."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from ..config import load_config
from ..logging.errors import LoggingError, SettingError
from .options import parse
from .output import harmless, make_streams_safe

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from ..config import ServerConfig

INTERRUPTED = 130
"""The exit code that shells show after SIGINT."""
PIPE_CLOSED = 141
"""The exit code that shells show after SIGPIPE."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 for a failure, 2 for invalid input."""
    make_streams_safe()
    options, settings = parse(argv)
    try:
        config = load_config(**settings)
        if options.verb == "logs":
            from .logs import run_logs  # noqa: PLC0415 - each verb imports only what it needs

            return _run(run_logs(options, config))
        if options.verb == "doctor":
            from .doctor import run_doctor  # noqa: PLC0415

            return _run(run_doctor(config))
        return _serve(config)
    except LoggingError as error:
        is_ours = isinstance(error, SettingError)  # one sentence per line; other errors quote the destination
        print(*map(harmless, str(error).split("\n") if is_ours else [str(error)]), sep="\n", file=sys.stderr)
        return 2 if is_ours else 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the rest of the buffer
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED


def _serve(config: ServerConfig) -> int:
    gc.disable()  # the imports of the SDK create objects, not garbage; `serve` enables it again
    from ..server.app import create_mcp_server  # noqa: PLC0415
    from ..server.serve import serve  # noqa: PLC0415
    from ..server.stdio import stdout_as_stderr  # noqa: PLC0415

    with stdout_as_stderr() if config.transport == "stdio" else nullcontext():
        server = create_mcp_server(config)
    return serve(server, config)


def _run(verb: Coroutine[None, None, int]) -> int:
    """Run a verb and flush its output, so that a closed pipe is noticed here and not at interpreter exit."""
    code = asyncio.run(verb)
    sys.stdout.flush()
    return code
