"""Start programs with the rights of another user: root, who often runs these tests, may read and write everything."""

from __future__ import annotations

import os
import shutil

import pytest
from helpers import program_path


def is_root() -> bool:
    """Return whether these tests run as root; skip the test if root cannot give up rights here."""
    if os.geteuid() != 0:
        return False
    if shutil.which("setpriv") is None:
        pytest.skip("root can only give up rights with setpriv")
    return True


def bound_by_permissions() -> list[str]:
    """Return what precedes the arguments of a Python that may read and write only what the permissions allow."""
    return [program_path("run_bound_by_permissions")] if is_root() else []
