"""PostgreSQL: one row per entry in one table."""

from .destination import PostgresDestination, PostgresSettings

__all__ = ["PostgresDestination", "PostgresSettings"]
