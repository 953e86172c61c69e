"""Fixtures for the command: recorded entries, and its output."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.project_slug}}.cli import main

from .cli_helpers import ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def recorded(record: Callable[..., None]) -> Callable[..., None]:
    """Record ENTRIES; return a function that records more."""
    record(*ENTRIES)
    return record


@pytest.fixture
def run_json(recorded: object, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that runs the command with `--json` and returns the printed objects."""

    def run(*arguments: str) -> list[dict[str, Any]]:
        assert main([*arguments, "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run
