"""Elasticsearch: one document per entry in daily indices."""

from .destination import ElasticsearchDestination, ElasticsearchSettings

__all__ = ["ElasticsearchDestination", "ElasticsearchSettings"]
