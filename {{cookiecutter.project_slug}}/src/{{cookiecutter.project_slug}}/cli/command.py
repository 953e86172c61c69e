"""Run a verb, and turn its errors into sentences and exit codes."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import TYPE_CHECKING, Any

from ..choices import OPTIONAL_VERBS
from ..config import load_config
from ..logging.errors import LoggingError, SettingError
from .options import parse, verb_package
from .output import harmless, make_log_lines_harmless

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine

    from ..config import ServerConfig


def run_command(words: list[str]) -> int:
    """Run the verb among the words; return the exit code."""
    make_log_lines_harmless()

    def run() -> int:
        options, settings = _parse(words)
        return _run_verb(options, load_config(**settings))

    return _explain_errors(run)


def _explain_errors(run: Callable[[], int]) -> int:
    """Return an exit code; print an error as sentences."""
    try:
        return run()
    except LoggingError as error:
        is_ours = isinstance(error, SettingError)  # one sentence per line; other errors quote the destination
        print(*map(harmless, str(error).split("\n") if is_ours else [str(error)]), sep="\n", file=sys.stderr)
        return 2 if is_ours else 1


def _parse(words: list[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Parse the words; flush a help text, as `_run` flushes the output of a verb."""
    try:
        return parse(words)
    except SystemExit:
        sys.stdout.flush()
        raise


def _run_verb(options: argparse.Namespace, config: ServerConfig) -> int:
    """Run the verb; each imports only what it needs."""
    if options.verb in {"logs", *OPTIONAL_VERBS}:
        _report_settings(config)  # a server logs this, and `doctor` lists it
    if options.verb == "logs":
        from .logs import run_logs  # noqa: PLC0415

        return _run(run_logs(options, config))
    if options.verb == "call":
        from .call import run_call  # noqa: PLC0415

        return _run_with_tools(run_call(options, config))
    if options.verb == "doctor":
        from .doctor import run_doctor  # noqa: PLC0415

        return _run_with_tools(run_doctor(config))
    if options.verb in OPTIONAL_VERBS:
        return _run(verb_package(options.verb).run_verb(options, config))
    return _serve(config)


def _report_settings(config: ServerConfig) -> None:
    """Print which files of settings are not read, and which settings are unknown."""
    for sentence in (*config.unread_files, *config.unknown_keys):
        print(harmless(sentence), file=sys.stderr)


def _run(verb: Coroutine[None, None, int]) -> int:
    """Run a verb and flush its output, so that a closed pipe is noticed here and not at interpreter exit."""
    code = asyncio.run(verb)
    sys.stdout.flush()
    return code


def _run_with_tools(verb: Coroutine[None, None, int]) -> int:
    """Run a verb that loads the tool modules, and end even if they have left threads running."""
    from ..server.threads import exit_past_threads  # noqa: PLC0415

    code = _explain_errors(lambda: _run(verb))
    exit_past_threads(code)
    return code


def _serve(config: ServerConfig) -> int:
    gc.disable()  # the imports of the SDK create objects, not garbage; `serve` enables it again
    from ..server.startup import start_server  # noqa: PLC0415
    from ..server.wire import claim_wire  # noqa: PLC0415

    wire = claim_wire() if config.transport == "stdio" else None
    server = start_server(config)
    if server is None:
        return 1
    from ..server.serve import serve  # noqa: PLC0415

    return serve(server, config, wire)
