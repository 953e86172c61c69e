"""Start the backends, print their addresses as variables, and stop them on Ctrl-C.

`python -m tests.backends` starts all, `python -m tests.backends kafka postgres` those that are named.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from . import BACKENDS, BackendError


def main() -> int:
    """Run until SIGINT or SIGTERM; return 1 if a backend cannot start."""
    parser = argparse.ArgumentParser(prog="python -m tests.backends", description="Start the servers for tests.")
    parser.add_argument("names", nargs="*", help="which to start: " + ", ".join(choice.name for choice in BACKENDS))
    names = set(parser.parse_args().names)
    if unknown := names - {choice.name for choice in BACKENDS}:
        parser.error("unknown: " + ", ".join(sorted(unknown)))
    # SIGINT as well: a shell starts its background jobs with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        _run(names or {choice.name for choice in BACKENDS})
    except KeyboardInterrupt:
        return 0
    except BackendError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _run(names: set[str]) -> None:
    """Start the backends one by one, then wait for a signal; stop them in any case."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backends-")))
        for choice in BACKENDS:
            if choice.name in names:
                backend = stack.enter_context(choice.make(folder / choice.name))
                sys.stdout.write(f"{choice.variable}={backend.address}\n")
                sys.stdout.flush()
        sys.stderr.write("backends: running, Ctrl-C stops them\n")
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
