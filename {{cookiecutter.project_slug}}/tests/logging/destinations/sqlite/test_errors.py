"""Faults of the file become sentences; everything else stays an error of the driver."""

from __future__ import annotations

import os
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}}.logging.destinations.sqlite.errors import (
    FREE_SPACE,
    MOVE_AWAY,
    explain,
    file_exists,
    require_writable_folder,
)
from {{cookiecutter.project_slug}}.logging.errors import DeliveryError

if TYPE_CHECKING:
    from pathlib import Path


def provoke(path: Path, *statements: str) -> sqlite3.Error:
    """Return the error of the last statement."""
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        for statement in statements[:-1]:
            connection.execute(statement)
        with pytest.raises(sqlite3.Error) as raised:
            connection.execute(statements[-1])
        return raised.value


def test_a_full_disk_is_explained(tmp_path: Path) -> None:
    """The sentence says to free some space."""
    path = tmp_path / "logs.db"
    fill = "INSERT INTO t WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 9999) SELECT x FROM n"
    error = provoke(path, "CREATE TABLE t (x)", "PRAGMA max_page_count = 2", fill)
    assert str(explain(path, error)) == f"{path} cannot be used: database or disk is full: {FREE_SPACE}"


def test_a_file_of_another_kind_is_explained(tmp_path: Path) -> None:
    """The sentence says to move it away."""
    path = tmp_path / "notes.txt"
    path.write_text("milk, bread\n" * 100)
    error = provoke(path, "SELECT * FROM t")
    assert str(explain(path, error)) == f"{path} cannot be used: file is not a database: {MOVE_AWAY}"


def test_a_lock_a_statement_and_a_timeout_are_no_faults_of_the_file(tmp_path: Path) -> None:
    """A lock is released soon; the other two have nothing to do with the path."""
    path = tmp_path / "logs.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        errors = [provoke(path, "CREATE TABLE t (x)"), TimeoutError(), ValueError()]
    assert [explain(path, error) for error in [*errors, provoke(path, "SELECT 1 FROM nowhere")]] == [None] * 4


def test_only_a_regular_file_is_one(tmp_path: Path) -> None:
    """A socket or a device is not, a missing file is none, and a link is what it leads to."""
    assert not file_exists(tmp_path / "missing.db")
    (tmp_path / "link.db").symlink_to("logs.db")
    assert not file_exists(tmp_path / "link.db")
    (tmp_path / "logs.db").touch()
    assert file_exists(tmp_path / "link.db")
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        os.chdir(tmp_path)  # the address of a socket is limited to about a hundred characters
        listener.bind("socket")
        with pytest.raises(DeliveryError, match="is a socket, not a file"):
            file_exists(tmp_path / "socket")
    with pytest.raises(DeliveryError, match=r"^/dev/null is a device, not a file"):
        file_exists((tmp_path / "null").parent / os.devnull)


def test_a_missing_file_may_have_missing_folders(tmp_path: Path) -> None:
    """They are created with it."""
    require_writable_folder(tmp_path / "a" / "b" / "logs.db")
