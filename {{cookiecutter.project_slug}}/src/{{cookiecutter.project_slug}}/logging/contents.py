"""What a destination holds: how many entries, from when to when, and how large they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """The entries of a destination. `size_bytes` is what they take on disk; None means unknown, or no entry."""

    entries: int | None = None
    oldest: datetime | None = None
    newest: datetime | None = None
    size_bytes: int | None = None
