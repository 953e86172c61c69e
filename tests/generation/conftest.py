"""What holds for all tests of generated projects."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
"""Where servers of the user's own keep their entries."""


@pytest.fixture(scope="session", autouse=True)
def nothing_kept_at_home() -> Iterator[None]:
    """Fail at the end of a run in which a server of a test kept its entries among the user's own."""
    before = {*DATA.glob("*/logs.db")}
    yield
    assert {*DATA.glob("*/logs.db")} - before == set()
