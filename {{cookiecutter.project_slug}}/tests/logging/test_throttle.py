"""A throttle lets an action run at once, and then only once per interval."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from {{cookiecutter.project_slug}}.logging import throttle

if TYPE_CHECKING:
    import pytest


def test_an_action_runs_once_per_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval starts when the action ran last, not when it was last asked for."""
    now = 0.0
    monkeypatch.setattr(throttle, "time", SimpleNamespace(monotonic=lambda: now))
    action = throttle.Throttle(10)
    ready = []
    for now in (0.0, 1.0, 9.9, 10.0, 19.9, 20.0):  # noqa: B007 - read by the clock above
        ready.append(action.ready())  # noqa: PERF401 - the loop sets the clock
    assert ready == [True, False, False, True, False, True]


def test_a_reset_throttle_is_ready_at_once() -> None:
    """However little time has passed."""
    action = throttle.Throttle(3_600)
    assert (action.ready(), action.ready()) == (True, False)
    action.reset()
    assert (action.ready(), action.ready()) == (True, False)
