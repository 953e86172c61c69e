"""Start the backends, print their addresses as variables, and stop them on Ctrl-C.

`python -m tests.backends` starts all, `python -m tests.backends kafka postgres` those that are named. What a variable
printed before stands in the way of is printed as a comment.
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
        run(names or {choice.name for choice in BACKENDS})
    except KeyboardInterrupt:
        return 0
    except BackendError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def run(names: set[str]) -> None:
    """Start the backends one by one, then wait for a signal; stop them in any case."""
    said = set[str]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="backends-")))
        for choice in BACKENDS:
            if choice.name in names:
                backend = stack.enter_context(choice.make(folder / choice.name))
                note = f"# {choice.name}: " if choice.variable in said else ""
                sys.stdout.write(f"{note}{choice.variable}={backend.address}\n")
                sys.stdout.flush()
                said.add(choice.variable)
        sys.stderr.write("backends: running, Ctrl-C stops them\n")
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
