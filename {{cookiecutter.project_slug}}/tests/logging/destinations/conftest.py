"""Fixtures for the wrappers around destinations."""

from __future__ import annotations

import pytest

from {{cookiecutter.project_slug}}.logging.destinations import delivery


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a destination that is down be tried again after 10 ms."""
    monkeypatch.setattr(delivery, "OUTAGE_PAUSES", (0.01,))
