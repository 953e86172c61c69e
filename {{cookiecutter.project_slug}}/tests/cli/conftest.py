"""Fixtures for the command: recorded entries, its output, and the local time zone."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from {{cookiecutter.project_slug}}.cli import main

from .cli_helpers import ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


@pytest.fixture
def set_zone() -> Iterator[Callable[[str], None]]:
    """Return a function that sets the local time zone."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change its time zone")
    with pytest.MonkeyPatch.context() as patch:

        def change(name: str) -> None:
            patch.setenv("TZ", name)
            time.tzset()

        yield change
    time.tzset()
