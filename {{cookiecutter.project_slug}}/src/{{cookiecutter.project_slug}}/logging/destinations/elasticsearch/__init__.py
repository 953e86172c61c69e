"""Elasticsearch: one document per entry in daily indices."""

from .destination import ElasticsearchDestination
from .settings import ElasticsearchSettings

__all__ = ["ElasticsearchDestination", "ElasticsearchSettings"]
