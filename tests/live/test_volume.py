"""100,000 entries, logged no faster than the buffer is emptied: nothing is lost, nothing is doubled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.backends import Convex
from tests.support.processes import Producer

from .conftest import ALL, MakeTarget
from .targets import ConvexTarget, unique

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.project import Project

    from .targets import Target

COUNT = 100_000
OLDEST = 10
"""Entries at the far end of what the project's own query reaches."""


@pytest.fixture(params=ALL)
def target(request: pytest.FixtureRequest, make_target: MakeTarget, tmp_path: Path) -> Iterator[Target]:
    """A place of one's own; in Convex, whose one table all others share, a deployment of one's own."""
    if request.param != "convex":
        yield make_target(request.param)
        return
    with Convex(tmp_path / "convex") as convex:
        yield ConvexTarget(convex)


def test_100_000_entries_arrive_once(project: Project, target: Target, tmp_path: Path) -> None:
    """As many entries as were logged, with as many ids, each message among them, down to the oldest for `logs`."""
    text = unique()

    with Producer(project, tmp_path / "producer", **target.alone) as producer:
        producer.ask("log", text=text, first=0, count=COUNT)
        assert producer.ask("flush", timeout=50)
        counters = producer.counters()[target.name]

    assert counters["written"] == counters["accepted"] == COUNT, counters
    found = target.find(text, "message", "entry_id")
    assert len(found) == COUNT
    assert len({entry_id for _, entry_id in found}) == COUNT
    assert {message for message, _ in found} == {f"{text} {number}" for number in range(COUNT)}
    _reads_the_oldest(project, target, text, tmp_path)


def _reads_the_oldest(project: Project, target: Target, text: str, folder: Path) -> None:
    """Check that `logs` pages down to the first entries; Kafka is read by others only, which it says."""
    page = ("--from", target.name, "--offset", str(COUNT - OLDEST), "--limit", str(OLDEST), "--json")
    done = project.run(folder, "logs", *page, **target.alone)
    if target.name == "kafka":
        assert "kafka is write-only" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    messages = [json.loads(line)["message"] for line in done.stdout.splitlines()]
    assert messages == [f"{text} {number}" for number in reversed(range(OLDEST))]
