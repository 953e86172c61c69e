"""How results are written down: one JSON object each, and a table of all."""

from __future__ import annotations

import json
import statistics
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

COLUMNS = ("benchmark", "figure", "ours", "bare", "ratio", "target", "holds")


def compare(
    benchmark: str, pairs: Iterable[tuple[dict[str, float], dict[str, float]]], targets: dict[str, str]
) -> None:
    """Print one result a figure from (ours, bare) pairs of runs: medians, and the median of the paired ratios."""
    pairs = list(pairs)
    for figure in pairs[0][0]:
        ours, bare = [one[figure] for one, _ in pairs], [other[figure] for _, other in pairs]
        ratios = [one / other for one, other in zip(ours, bare, strict=True)]
        values = {"ours": statistics.median(ours), "bare": statistics.median(bare), "ratio": statistics.median(ratios)}
        emit(benchmark, figure, values, targets)


def emit(benchmark: str, figure: str, values: dict[str, float], targets: dict[str, str]) -> None:
    """Print one result as a JSON line; `values` holds `ours` and, where there is a peer, `bare` and `ratio`.

    A target is `<=` or `>=` and a number, for the ratio where there is one; `or N ms` also allows N of `ours`.
    """
    result: dict[str, Any] = {"benchmark": benchmark, "figure": figure, "bare": None, "ratio": None, **values}
    target = targets.get(figure, "")
    holds = _holds(values, target) if target else None
    sys.stdout.write(json.dumps({**result, "target": target, "holds": holds}) + "\n")
    sys.stdout.flush()


def alternate(
    runs: int, ours: Callable[[], dict[str, float]], bare: Callable[[], dict[str, float]]
) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Run both in turn, each first as often as second, and return the pairs without the first."""
    pairs = []
    for number in range(runs + 1):
        if number % 2:
            one, other = ours(), bare()
        else:
            other, one = bare(), ours()
        pairs.append((one, other))
    return pairs[1:]


def print_table(results: list[dict[str, Any]]) -> None:
    """Print results as an aligned table."""
    rows = [list(COLUMNS), *([_shown(result[name]) for name in COLUMNS] for result in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(map(str.ljust, row, widths)).rstrip())


def _holds(values: dict[str, float], target: str) -> bool:
    limit, _, allowed = target.partition(" or ")
    if allowed and values["ours"] <= float(allowed.removesuffix(" ms")):
        return True
    value = values.get("ratio", values["ours"])
    comparison, number = limit.split()[:2]
    return value <= float(number) if comparison == "<=" else value >= float(number)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"  # noqa: PLR2004 - how it reads best
    return "" if value is None else str(value)
