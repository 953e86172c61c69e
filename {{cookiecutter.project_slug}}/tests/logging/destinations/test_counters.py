"""Counting what happens to entries."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from {{cookiecutter.project_slug}}.logging.destinations.counters import AtomicCounter, Counters


def test_increments_from_many_threads_are_all_counted() -> None:
    """No lock is needed."""
    counter = AtomicCounter()

    def increment(_: int) -> None:
        for _ in range(10_000):
            counter.increment()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(increment, range(8)))
    assert counter.value == 80_000


def test_increment_returns_the_previous_value() -> None:
    """Reading the value does not change it."""
    counter = AtomicCounter()
    assert (counter.value, counter.value) == (0, 0)
    assert [counter.increment() for _ in range(3)] == [0, 1, 2]
    assert counter.value == 3


def test_counters_are_shown_in_one_line() -> None:
    """An error is shown only if there was one."""
    counters = Counters(destination="memory", accepted=10, written=4, retried=1, dropped=3, failed=2, queued=1)
    assert str(counters) == "memory: written 4, retried 1, dropped 3, failed 2, queued 1"
    failed = Counters(destination="memory", last_error="no broker")
    assert str(failed).endswith("queued 0; last error: no broker")
