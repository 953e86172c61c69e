"""The package as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpers import program_path

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path


def test_importing_has_no_side_effects(run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    """No file, handler, thread or socket is opened, and no driver is imported."""
    result = run(program_path("import_all"))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
