"""Settings of the SQLite destination."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ...settings import LogSettings
from ..driver import PACKAGE


def default_path() -> Path:
    """Return `logs.db` in the user's data folder; without a home folder, a path below `~`, which is reported on use."""
    from platformdirs import user_data_path  # noqa: PLC0415 - only needed without SQLITE_PATH

    try:
        return user_data_path(PACKAGE, appauthor=False) / "logs.db"
    except RuntimeError:
        return Path("~", PACKAGE, "logs.db")


class SQLiteSettings(LogSettings):
    """Settings of the SQLite destination."""

    sqlite_path: Path = Field(default_factory=default_path, description="The SQLite file; created with mode 0600.")
    sqlite_max_mb: int = Field(
        default=0, ge=0, le=10_000_000, description="Megabytes of entries to keep, the newest; 0 is no limit."
    )
