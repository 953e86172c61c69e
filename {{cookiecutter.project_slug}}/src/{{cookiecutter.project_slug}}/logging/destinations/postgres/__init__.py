"""PostgreSQL: one row per entry in one table."""

from .destination import PostgresDestination
from .settings import PostgresSettings

__all__ = ["PostgresDestination", "PostgresSettings"]
