"""What logging costs a tool call: two servers side by side, called in turn, both ways round."""

from __future__ import annotations

import logging
import math
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from .servers import Server

_logger = logging.getLogger(__name__)

BLOCK = 100
"""Calls of which one p99 is taken."""
LAG_LIMIT = 50
"""Milliseconds the server's event loop may be late."""
GROWTH = 15
"""Megabytes that a server may grow by while something fails."""
MEASUREMENTS = 5
"""Measurements of which one has to pass: the machine has other things to do as well."""


@dataclass(frozen=True)
class Comparison:
    """The p99 of a server, and that of the one it is measured against, in milliseconds; the slowest call of each."""

    p99: float
    against: float
    slowest: float
    slowest_against: float

    @property
    def ratio(self) -> float:
        """Return how many times as long the slowest calls take."""
        return self.p99 / self.against

    @property
    def holds(self) -> bool:
        """Tell whether it is within the promise: 1.25 times, or within a millisecond."""
        return self.ratio <= 1.25 or self.p99 - self.against <= 1

    def __str__(self) -> str:
        return (
            f"p99 {self.p99:.2f} ms, without logging {self.against:.2f} ms, ratio {self.ratio:.2f}; "
            f"slowest {self.slowest:.1f} ms, without logging {self.slowest_against:.1f} ms"
        )


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
    return Comparison(*map(p99, times), *map(max, times))


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
    _logger.info("%s", best)
    return best


async def check_p99(server: Server, against: Server, *, calls: int = 1_000) -> None:
    """Check that tools take no longer than without logging."""
    comparison = await best_comparison(server, against, calls=calls)
    assert comparison.holds, str(comparison)


async def check_lag(server: Server, during: Callable[[str], Awaitable[object]]) -> list[str]:
    """Check that the server's event loop is not late while something happens: a few times, until it is not.

    What happens is told the name of its round, so that no line of one is taken for that of another; all names are
    returned.
    """
    lags: list[float] = []
    while len(lags) < MEASUREMENTS and min(lags, default=math.inf) > LAG_LIMIT:
        await server.call("lag")
        await during(f"round-{len(lags)}")
        lags.append(await server.call("lag"))
        _logger.info("lag %.0f ms", lags[-1])
    assert min(lags) <= LAG_LIMIT, f"the event loop was {min(lags):.0f} ms late"
    return [f"round-{number}" for number in range(len(lags))]


async def check_lag_against(
    server: Server, against: Server, during: Callable[[Server, str], Awaitable[object]]
) -> list[str]:
    """Check that the event loop is no later than the other server's, where that one is late by itself.

    The same happens to both, a few times; the names of the rounds are returned.
    """
    pairs: list[tuple[float, float]] = []
    while len(pairs) < MEASUREMENTS and not any(_is_no_later(*pair) for pair in pairs):
        for each in (server, against):
            await each.call("lag")
            await during(each, f"round-{len(pairs)}")
        pairs.append((await server.call("lag"), await against.call("lag")))
        _logger.info("lag %.0f ms, without logging %.0f ms", *pairs[-1])
    assert any(_is_no_later(*pair) for pair in pairs), f"ms late, with and without logging: {pairs}"
    return [f"round-{number}" for number in range(len(pairs))]


def _is_no_later(lag: float, against: float) -> bool:
    return lag <= max(LAG_LIMIT, 1.25 * against)


async def check_unharmed(
    server: Server,
    against: Server,
    log: Callable[[str], Awaitable[object]],
    *,
    calls: int = 500,
    megabytes: float = GROWTH,
) -> list[str]:
    """Check lag, p99 and memory while `log` logs, and return the names of its rounds."""
    before = await _resident(server)
    rounds = await check_lag(server, log)
    await check_p99(server, against, calls=calls)
    growth = await _resident(server) - before
    _logger.info("grew by %.1f MB", growth)
    assert growth <= megabytes, f"the server grew by {growth:.1f} MB"
    return rounds


async def _resident(server: Server) -> float:
    megabytes: float = (await server.call("state"))["resident"]
    return megabytes
