"""Bake a project with every destination, install it, and run the benchmarks in its environment.

`python -m benchmarks [NAME ...] [--runs N]`; without names all run. Prints a table and writes `results.json` beside
this file. The first run of each is discarded; what counts are medians of paired ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from .project import installed_project
from .report import print_table

HERE = Path(__file__).parent
LOCAL = ("servers", "watched", "lines", "sqlite", "page-sqlite")
LIVE = {
    "kafka": "kafka",
    "elasticsearch": "elasticsearch_9",
    "postgres": "postgres",
    "convex": "convex",
    "page-elasticsearch": "elasticsearch_9",
    "page-postgres": "postgres",
    "page-convex": "convex",
}
"""Benchmarks of production destinations and the backend each needs."""


def main() -> int:
    """Run the benchmarks that were asked for and return 1 when one of them broke."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*LOCAL, *LIVE, []], help="benchmarks to run (all)")
    parser.add_argument("--runs", type=int, default=7, help="counted runs of each (7)")
    options = parser.parse_args()
    names = options.names or [*LOCAL, *LIVE]
    python = installed_project()
    results, broken = [], []
    with ExitStack() as backends:
        for name in names:
            environment = os.environ | _address(name, backends)
            environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a start would compile every package
            module, _, store = name.partition("-")
            command = [str(python), "-m", f"benchmarks.{module}", str(options.runs), *filter(None, [store])]
            done = subprocess.run(  # noqa: S603 - our own interpreter and module
                command, cwd=HERE.parent, env=environment, stdout=subprocess.PIPE, text=True, check=False
            )
            if done.returncode:
                broken.append(name)
            results += [json.loads(line) for line in done.stdout.splitlines()]
    print_table(results)
    (HERE / "results.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for name in broken:
        print(f"benchmark {name} broke", file=sys.stderr)
    return 1 if broken else 0


def _address(name: str, backends: ExitStack) -> dict[str, str]:
    """Start the backend a benchmark needs and return the variable that says where it is."""
    backend = LIVE.get(name)
    if backend is None:
        return {}
    from tests.backends import BACKENDS  # noqa: PLC0415 - only where a backend is needed

    choice = next(choice for choice in BACKENDS if choice.name == backend)
    folder = Path(backends.enter_context(TemporaryDirectory(prefix="bench-")))
    folder.chmod(0o755)  # PostgreSQL runs as another user when we are root
    running = backends.enter_context(choice.make(folder))
    return {choice.variable: running.address}


if __name__ == "__main__":
    raise SystemExit(main())
