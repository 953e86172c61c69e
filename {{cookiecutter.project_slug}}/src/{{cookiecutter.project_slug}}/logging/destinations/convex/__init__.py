"""Convex: documents, sent to the HTTP actions in `convex/`."""

from .destination import ConvexDestination, ConvexSettings

__all__ = ["ConvexDestination", "ConvexSettings"]
