"""SQLite: one table in one file on this machine."""

from .destination import SQLiteDestination
from .settings import SQLiteSettings

__all__ = ["SQLiteDestination", "SQLiteSettings"]
