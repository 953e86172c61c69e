"""SQLite: one table in a file on this machine."""

from .destination import SQLiteDestination, SQLiteSettings

__all__ = ["SQLiteDestination", "SQLiteSettings"]
