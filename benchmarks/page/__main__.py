"""Ask the page and the bare store in turn: `python -m benchmarks.page RUNS STORE`."""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.report import alternate, compare

from .questions import Question, questions
from .ui import Ui, running

if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import Store

PATHS = {"newest": "/api/entries", "stats": "/api/stats", "histogram": "/api/histogram"}
TARGET = "<= 3 or 50 ms"
"""Decoding entries and sending them over HTTP takes longer than finding them; people do not notice 50 ms."""


def main(runs: int, name: str) -> None:
    """Print the milliseconds of both for each question."""
    stored = importlib.import_module(f"{__package__}.{name}").stored
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-")))
        store = stack.enter_context(stored(folder))
        ui = stack.enter_context(running(folder, store.name, **store.settings))
        for question in questions(*store.ids):
            _measure(ui, store, question, runs)


def _measure(ui: Ui, store: Store, question: Question, runs: int) -> None:
    figure = f"{question.figure} (ms)"

    def page() -> dict[str, float]:
        return {figure: _milliseconds(lambda: _ask(ui, question))}

    def bare() -> dict[str, float]:
        return {figure: _milliseconds(lambda: _answer(store, question))}

    compare(f"page, {store.count:,} in {store.name}", alternate(runs, page, bare), {figure: TARGET})


def _ask(ui: Ui, question: Question) -> int:
    if question.kind == "text":
        return len(ui.search(question.parameters))
    return len(ui.ask(PATHS[question.kind], question.parameters))


def _answer(store: Store, question: Question) -> int:
    """Run the bare statement; for a text, one query of the destination, which scans what is stored."""
    return asyncio.run(store.scan(question.line)) if question.kind == "text" else store.answer(question)


def _milliseconds(work: Callable[[], int]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1_000


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
