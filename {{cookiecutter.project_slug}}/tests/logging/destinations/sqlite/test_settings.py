"""The default path of the SQLite file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from {{cookiecutter.project_slug}}.config import ServerConfig
from {{cookiecutter.project_slug}}.logging.destinations.driver import PACKAGE

if TYPE_CHECKING:
    from pathlib import Path


def test_the_default_file_is_in_the_users_data_folder(tmp_path: Path) -> None:
    """It is below the home folder, in a folder with the name of the package."""
    path = ServerConfig().sqlite_path
    assert path.is_relative_to(tmp_path / "home")
    assert PACKAGE in path.parts
