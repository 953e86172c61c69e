"""Which answers are tested: each choice, and each pair of choices, in as few projects as a greedy search finds."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

from scripts.project import choices, everything_off, everything_on, questions

if TYPE_CHECKING:
    from pathlib import Path

Answers = dict[str, str]
Pair = tuple[tuple[str, str], tuple[str, str]]

DEFAULTS: Answers = {}
"""No answer at all: what pressing Enter gives."""
EXTREMES: dict[str, Answers] = {"default": DEFAULTS, "everything": everything_on(), "nothing": everything_off()}
ALONE: dict[str, Answers] = {
    f"{name} alone": {**everything_off(), f"{entry['role']}_log_destination": name}
    for name, entry in questions()["_manifest"]["destinations"].items()
}
"""Projects with one destination each, and nothing else that can be chosen."""


def every_pair() -> dict[str, Answers]:
    """Return projects that hold each pair of choices at least once, by a name that says what is chosen."""
    offered = choices()
    open_pairs = {
        ((one, first), (other, second)): None
        for one, other in combinations(offered, 2)
        for first in offered[one]
        for second in offered[other]
    }
    rows: list[Answers] = []
    while open_pairs:
        row = dict(next(iter(open_pairs)))
        for name, answers in offered.items():
            if name not in row:
                row[name] = max(answers, key=lambda answer: len(open_pairs.keys() & _pairs({**row, name: answer})))
        for pair in _pairs(row):
            open_pairs.pop(pair, None)
        rows.append(row)
    return {"-".join(row[name] for name in offered if len(offered[name]) > 1): row for row in rows}


def _pairs(row: Answers) -> set[Pair]:
    ordered = [(name, row[name]) for name in choices() if name in row]
    return set(combinations(ordered, 2))


@cache
def _texts(project: Path) -> dict[str, str]:
    paths = (path for path in sorted(project.rglob("*")) if path.is_file() and path.suffix != ".pyc")  # of other tests
    return {str(path.relative_to(project)): path.read_text(encoding="utf-8") for path in paths}


def texts(project: Path) -> dict[str, str]:
    """Return what a project's files hold, by their paths in it."""
    return dict(_texts(project))


def is_chosen(name: str, role: str, answers: Answers) -> bool:
    """Tell whether answers choose a destination."""
    question = f"{role}_log_destination"
    return answers.get(question, choices()[question][0]) in (name, "all")
