"""Convex: one document per entry, stored by the HTTP actions in `convex/`."""

from .destination import ConvexDestination
from .settings import ConvexSettings

__all__ = ["ConvexDestination", "ConvexSettings"]
