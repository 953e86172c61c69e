"""The settings of the SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}}.config import ServerConfig, load_config
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    from pathlib import Path


def test_the_default_file_is_in_the_users_data_folder(tmp_path: Path) -> None:
    """It is below the home folder, in a folder with the name of the package."""
    path = ServerConfig().sqlite_path
    assert path.is_relative_to(tmp_path / "home")
    assert PACKAGE in path.parts


@pytest.mark.parametrize("size", ["-1", "1.5", "1 GB"])
def test_a_malformed_limit_disables_only_this_destination(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    """The sentence names the setting, its value and what is valid."""
    monkeypatch.setenv("SQLITE_MAX_MB", size)
    problem = load_config().problems["sqlite"]
    assert problem == f"SQLITE_MAX_MB is '{size}': it must be a whole number between 0 and 10000000."


def test_the_file_is_not_limited_by_default() -> None:
    """A limit deletes entries, so it is the user's choice."""
    assert ServerConfig().sqlite_max_mb == 0
