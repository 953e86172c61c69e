"""Four backends that come late, stop for 30 s in mid-stream and come again, side by side, under one process."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.backends import Backend, Convex, Elasticsearch, Kafka, Postgres
from tests.backends.processes import wait_until
from tests.support.processes import Producer

from .conftest import PRODUCTION
from .targets import ConvexTarget, ElasticsearchTarget, KafkaTarget, PostgresTarget, SQLiteTarget, Target, unique

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from tests.support.project import Project

CAPACITY = 2_000
RATE = 250
"""Entries a second: during the outage come several times as many as a buffer holds."""
SECONDS = 30.0
EARLY = 300
"""Entries that are logged before any backend is there."""
PATIENCE = 60.0
Counters = dict[str, dict[str, Any]]
Arrived = list[tuple[str, int]]
"""The id and the number of each entry."""


@dataclass
class Outage:
    """What was seen, by the names of the destinations."""

    text: str = field(default_factory=unique)
    early: Counters = field(default_factory=dict)
    down: Counters = field(default_factory=dict)
    up: set[str] = field(default_factory=set)
    """The destinations that were seen to deliver again."""
    settled: Counters = field(default_factory=dict)
    logged: Arrived = field(default_factory=list)
    arrived: dict[str, Arrived] = field(default_factory=dict)
    resent: dict[str, subprocess.CompletedProcess[str]] = field(default_factory=dict)
    arrived_again: dict[str, Arrived] = field(default_factory=dict)
    said: str = ""

    def numbers(self, target: Target) -> Arrived:
        """Return what arrived at a target."""
        found = target.find(self.text, "message", "entry_id")
        return [(entry_id, int(message.removeprefix(f"{self.text} "))) for message, entry_id in found]


def test_an_outage_costs_only_what_is_counted(project: Project, subtests: pytest.Subtests, tmp_path: Path) -> None:
    """Delivery begins late and resumes by itself, the newest entries arrive, `logs resend` brings the others.

    All of that is one test, since it takes more than a minute and four servers.
    """
    seen = _live_through(project, tmp_path)

    for check in CHECKS:
        for name in PRODUCTION:
            with subtests.test(check.__doc__, destination=name):
                check(seen, name)
    _the_rest_of_the_process_is_well(seen)


def _live_through(project: Project, folder: Path) -> Outage:
    """Log to backends that are not there, then are, then are stopped, then are there again; at last resend."""
    kafka, elasticsearch = Kafka(folder / "kafka"), Elasticsearch(folder / "elasticsearch")
    postgres, convex = Postgres(folder / "postgres"), Convex(folder / "convex")
    backends: tuple[Backend, ...] = (kafka, elasticsearch, postgres, convex)
    targets: tuple[Target, ...] = (
        KafkaTarget(kafka),
        ElasticsearchTarget(elasticsearch),
        PostgresTarget(postgres),
        ConvexTarget(convex),
    )
    settings = {
        "ENABLE_PRODUCTION_LOGGING": "true",
        "LOG_DESTINATION_TYPE": ",".join(PRODUCTION),
        "LOG_BUFFER_SIZE": str(CAPACITY),
        **{name: value for target in targets for name, value in target.settings.items()},
    }
    seen = Outage()
    with ExitStack() as stack:
        for backend in backends:
            stack.callback(backend.stop)
        producer = stack.enter_context(Producer(project, folder / "producer", **settings))
        _come_late(seen, producer, backends)
        _stop_for_a_while(seen, producer, backends)
        seen.logged = seen.numbers(SQLiteTarget(producer.database))
        for target in targets:
            seen.arrived[target.name] = seen.numbers(target)
            options = ("logs", "resend", "--since", "1h", "--to", target.name)
            seen.resent[target.name] = project.run(producer.folder, *options, **settings)
            seen.arrived_again[target.name] = seen.numbers(target)
        seen.said = producer.stderr_text()
    return seen


def _come_late(seen: Outage, producer: Producer, backends: tuple[Backend, ...]) -> None:
    """Start the backends after the first entries have been logged."""
    producer.ask("log", text=seen.text, first=0, count=EARLY)
    assert {name: producer.counters()[name]["written"] for name in PRODUCTION} == dict.fromkeys(PRODUCTION, 0)
    _at_once(Backend.start, backends)
    wait_until(lambda: _all_written(producer.counters()), PATIENCE, interval=0.2)
    seen.early = producer.counters()


def _stop_for_a_while(seen: Outage, producer: Producer, backends: tuple[Backend, ...]) -> None:
    """Stop the backends in mid-stream, start them after 30 s, and end the stream when all deliver again."""
    producer.ask("stream", text=seen.text, first=EARLY, rate=RATE)
    assert wait_until(lambda: producer.counters()["sqlite"]["written"] > EARLY + RATE, PATIENCE)
    _at_once(Backend.stop, backends)
    seen.down = producer.counters()
    end = time.monotonic() + SECONDS
    wait_until(lambda: bool(producer.counters()) and time.monotonic() > end, 2 * SECONDS, interval=0.5)
    with ThreadPoolExecutor() as pool:
        starting = [pool.submit(backend.start) for backend in backends]
        wait_until(lambda: _deliver_again(seen, producer.counters()), PATIENCE, interval=0.1)
        for start in starting:
            start.result()
    producer.ask("stop")
    producer.ask("flush", timeout=PATIENCE / 2)
    seen.settled = producer.counters()


def _deliver_again(seen: Outage, now: Counters) -> bool:
    """Remember the destinations that deliver; return whether all do."""
    seen.up |= {name for name in PRODUCTION if now[name]["written"] > seen.down[name]["written"]}
    return len(seen.up) == len(PRODUCTION)


def _all_written(now: Counters) -> bool:
    return all(item["written"] == EARLY for item in now.values())


def _at_once(do: Any, backends: tuple[Backend, ...]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(do, backends))


def _comes_late(seen: Outage, name: str) -> None:
    """What was logged before the backend came is delivered, without a restart."""
    counters = seen.early[name]
    assert (counters["written"], counters["queued"]) == (EARLY, 0), counters
    assert {number for _, number in seen.arrived[name]} >= set(range(EARLY))


def _resumes(seen: Outage, name: str) -> None:
    """After 30 s without its backend, what is logged arrives at once again; stderr tells of the end of the outage."""
    assert max(number for _, number in seen.arrived[name]) == len(seen.logged) - 1
    assert seen.settled[name]["queued"] == 0
    assert f" {name}: delivering again after " in seen.said


def _keeps_the_newest(seen: Outage, name: str) -> None:
    """Only old entries are lost: after the newest lost one, at least as many arrive as the buffer holds.

    The buffer drops entries until its first batch is accepted, so no moment that a test observes can be the bound.
    """
    lost = set(range(len(seen.logged))) - {number for _, number in seen.arrived[name]}
    assert len(seen.logged) - 1 - max(lost) >= CAPACITY


def _counts_the_rest(seen: Outage, name: str) -> None:
    """Written and dropped are what was logged, to the last entry, and written is what is there."""
    counters = seen.settled[name]
    assert counters["accepted"] == len(seen.logged)
    assert counters["written"] + counters["dropped"] == len(seen.logged), counters
    assert counters["dropped"] > CAPACITY, counters
    assert len({entry_id for entry_id, _ in seen.arrived[name]}) == counters["written"]


def _is_resent(seen: Outage, name: str) -> None:
    """Afterwards everything is there, once; Kafka, which knows no ids, has the id with what came again."""
    done, arrived = seen.resent[name], seen.arrived_again[name]
    assert done.returncode == 0, done.stderr
    assert f"{len(seen.logged)} of {len(seen.logged)} entries sent to {name}" in done.stderr
    assert set(arrived) == set(seen.logged)
    assert name == "kafka" or len(arrived) == len(seen.logged)


CHECKS: tuple[Callable[[Outage, str], None], ...] = (
    _comes_late,
    _resumes,
    _keeps_the_newest,
    _counts_the_rest,
    _is_resent,
)


def _the_rest_of_the_process_is_well(seen: Outage) -> None:
    """Check that four backends that are down cost the local destination no entry, and stderr a few lines only."""
    counters = seen.settled["sqlite"]
    assert sorted(number for _, number in seen.logged) == list(range(counters["accepted"]))
    assert counters["written"] == counters["accepted"]
    complaints = [line for line in seen.said.splitlines() if seen.text not in line]
    assert len(complaints) < 4 * SECONDS, "\n".join(complaints[:20])
    assert "Traceback" not in seen.said
