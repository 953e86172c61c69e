"""What logging costs a tool call: two servers side by side, called in turn, both ways round."""

from __future__ import annotations

import logging
import math
import statistics
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from .servers import Server

_logger = logging.getLogger(__name__)

BLOCK = 100
"""Calls of which one p99 is taken."""
LAG_LIMIT = 50
"""Ordinary calls, of a millisecond or more each, by which the server's event loop may be late."""
GROWTH = 15
"""Megabytes that a server may grow by while something fails."""
ROUNDS = 3
"""Rounds whose median is held to the promise."""
MOST_ROUNDS = 5
"""Rounds of which more than half have to pass: the machine has other things to do as well."""


@dataclass
class Comparison:
    """How long calls of a server took, and of the one it is measured against, in milliseconds."""

    times: list[float] = field(default_factory=list)
    against: list[float] = field(default_factory=list)

    async def add(self, server: Server, against: Server, *, calls: int) -> None:
        """Call `echo` on both servers in turn, so that both meet what else the machine does, either one first."""
        pairs = [(server, self.times), (against, self.against)]
        for number in range(calls):
            for called, taken in pairs if number % 2 else pairs[::-1]:
                begin = time.perf_counter()
                await called.call("echo", text=f"call {number}")
                taken.append((time.perf_counter() - begin) * 1000)

    @property
    def ratio(self) -> float:
        """Return how many times as long the slowest calls take."""
        return p99(self.times) / p99(self.against)

    @property
    def ordinary(self) -> float:
        """Return how long an ordinary call takes without logging, at least 1: limits have to fit the machine."""
        return max(1.0, statistics.median(self.against))

    @property
    def holds(self) -> bool:
        """Tell whether it is within the promise: 1.25 times as long, or longer by one ordinary call at most."""
        return self.ratio <= 1.25 or p99(self.times) - p99(self.against) <= self.ordinary

    def __str__(self) -> str:
        return (
            f"p99 {p99(self.times):.2f} ms, without logging {p99(self.against):.2f} ms, ratio {self.ratio:.2f}; "
            f"median {statistics.median(self.times):.2f} ms, without logging {statistics.median(self.against):.2f} ms; "
            f"slowest {max(self.times):.1f} ms, without logging {max(self.against):.1f} ms"
        )


def p99(times: Sequence[float]) -> float:
    """Return the median of the p99s of blocks of calls, which a machine that was busy for a moment does not change."""
    blocks = [sorted(times[start : start + BLOCK]) for start in range(0, len(times), BLOCK)]
    return statistics.median(block[math.ceil(0.99 * len(block)) - 1] for block in blocks)


async def check_p99(server: Server, against: Server, *, calls: int = 1_000) -> None:
    """Check that tools take no longer than without logging; where they seem to, all is judged with more calls."""
    await Comparison().add(server, against, calls=BLOCK)
    comparison = Comparison()
    for _ in range(MOST_ROUNDS):
        await comparison.add(server, against, calls=calls)
        if comparison.holds:
            break
    _logger.info("%s", comparison)
    assert comparison.holds, str(comparison)


async def check_lag(server: Server, during: Callable[[str], Awaitable[object]], *, rounds: int = ROUNDS) -> list[str]:
    """Check that the server's event loop is not late while something happens, in most of a few rounds.

    What happens is told the name of its round, so that no line of one is taken for that of another; all names are
    returned.
    """
    limit = LAG_LIMIT * await _ordinary_call(server)
    lags: list[float] = []
    while len(lags) < rounds or (len(lags) < MOST_ROUNDS and statistics.median_high(lags) > limit):
        await server.call("lag")
        await during(f"round-{len(lags)}")
        lags.append(await server.call("lag"))
        _logger.info("lag %.0f ms", lags[-1])
    assert statistics.median_high(lags) <= limit, f"ms the event loop was late: {lags}; {limit:.0f} are allowed"
    return [f"round-{number}" for number in range(len(lags))]


async def check_lag_against(
    server: Server, against: Server, during: Callable[[Server, str], Awaitable[object]]
) -> list[str]:
    """Check that the event loop is no later than the other server's, where that one is late by itself.

    The same happens to both, in a few rounds of which most have to pass; the names of the rounds are returned.
    """
    limit = LAG_LIMIT * await _ordinary_call(against)
    pairs: list[tuple[float, float]] = []
    while len(pairs) < ROUNDS or (len(pairs) < MOST_ROUNDS and not _are_no_later(pairs, limit)):
        for each in (server, against):
            await each.call("lag")
            await during(each, f"round-{len(pairs)}")
        pairs.append((await server.call("lag"), await against.call("lag")))
        _logger.info("lag %.0f ms, without logging %.0f ms", *pairs[-1])
    assert _are_no_later(pairs, limit), f"ms late, with and without logging: {pairs}; {limit:.0f} are allowed"
    return [f"round-{number}" for number in range(len(pairs))]


def _are_no_later(pairs: Sequence[tuple[float, float]], limit: float) -> bool:
    passed = [lag <= max(limit, 1.25 * against) for lag, against in pairs]
    return 2 * sum(passed) > len(passed)


async def _ordinary_call(server: Server) -> float:
    """Return how long a call takes while nothing else happens: `ordinary` of a comparison of the server with itself."""
    comparison = Comparison()
    await comparison.add(server, server, calls=BLOCK // 2)
    return comparison.ordinary


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
