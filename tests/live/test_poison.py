"""An entry that the backend refuses, in the middle of a batch of 500, costs itself and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.processes import Producer

from .conftest import ALL, MakeTarget
from .targets import unique

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.project import Project

COUNT = 500
POISON: dict[str, dict[str, object]] = {
    # More than an hour ahead: Kafka's own bound for the time of a record (log.message.timestamp.after.max.ms).
    "kafka": {"timestamp": (datetime.now(UTC) + timedelta(days=2)).isoformat()},
    # An object where the mapping has a number.
    "elasticsearch": {"line": {"no": "number"}},
    # What neither COPY nor the cleaning that follows can make a bigint of.
    "postgres": {"line": {"no": "number"}},
    # What the shipped function says no to.
    "convex": {"line": {"no": "number"}},
    # What the driver cannot bind.
    "sqlite": {"line": {"no": "number"}},
}
"""What no destination can put right, and each backend truly refuses."""


@pytest.mark.parametrize("name", ALL)
def test_a_poison_entry_costs_itself_only(project: Project, make_target: MakeTarget, name: str, tmp_path: Path) -> None:
    """Of 500 entries in one batch 499 arrive once, one is counted as failed, and stderr says why."""
    target, text = make_target(name), unique()
    entries = [_entry(f"{text} {number}") for number in range(COUNT)]
    entries[COUNT // 2] |= POISON[name]

    with Producer(project, tmp_path, **target.alone) as producer:
        producer.ask("emit", entries=entries)
        assert producer.ask("flush", timeout=40)
        counters = producer.counters()[name]

    arrived = sorted(target.find(text, "message"))
    assert arrived == sorted((entry["message"],) for entry in entries if entry is not entries[COUNT // 2])
    assert (counters["written"], counters["failed"], counters["dropped"]) == (COUNT - 1, 1, 0), counters
    assert f" {name}: {counters['last_error']} (1 entries lost, 0 dropped so far)" in producer.stderr_text()


def _entry(message: str) -> dict[str, object]:
    now = datetime.now(UTC).isoformat()
    return {"correlation_id": "poison", "timestamp": now, "level": "INFO", "log_type": "internal", "message": message}
