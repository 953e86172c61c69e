"""The Elasticsearch destination."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from ...contents import Contents
from ...histogram import Histogram, Period
from ...query import LogQuery
from ...stats import CallStats, Group
from ..base import BatchDestination, LogEntry
from ..driver import require_driver, translated_errors
from .bulk_results import REPLY_FIELDS, BulkResults
from .client import build_client
from .encoding import bulk_requests, utc_time
from .errors import translate, translate_unexpected_reply, translate_without_entries
from .indices import DailyIndices
from .search import search
from .settings import ElasticsearchSettings, check_settings
from .stats import call_histogram, call_stats, index_contents, oldest_entry

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch


class ElasticsearchDestination(BatchDestination):
    """Write one document per entry to the index of its UTC date, with the entry id as `_id`.

    Raise SettingError if a setting is malformed.
    """

    name = "elasticsearch"
    settings_class = ElasticsearchSettings
    driver = "elasticsearch"
    driver_loggers = ("elasticsearch", "elastic_transport")
    fix_hint = (
        "ELASTICSEARCH_HOSTS must name running nodes, ELASTICSEARCH_API_KEY (or ELASTICSEARCH_USERNAME and "
        "ELASTICSEARCH_PASSWORD) an account that may write, and ELASTICSEARCH_CA_CERTS the CA of an https address"
    )

    def __init__(self, settings: ElasticsearchSettings) -> None:
        check_settings(settings)
        self.settings = settings
        self._indices = DailyIndices(settings.elasticsearch_index_prefix, retention_days=settings.log_retention_days)
        self._client: AsyncElasticsearch | None = None

    @classmethod
    def from_config(cls, config: ElasticsearchSettings) -> Self:
        """Build the destination; raise MissingDriverError if elasticsearch[async] is not installed."""
        for module in (cls.driver, "aiohttp"):
            require_driver(module, name=cls.name, package="elasticsearch[async]")
        return cls(config)

    async def open(self) -> None:
        """Create the index template if it is missing or older; raise AccessError if the cluster rejects us."""
        with translated_errors(translate_without_entries):
            await self._indices.prepare(self._connected())

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Index entries; those that already exist stay unchanged."""
        await self.open()
        client, results = self._connected(), BulkResults()
        with translated_errors(translate):
            await self._indices.make_ready(client, (utc_time(entry).date() for entry in entries))
            for part, body in bulk_requests(entries, self.settings.elasticsearch_index_prefix):
                operations: Any = [body]  # the driver accepts bytes, but its annotations do not
                reply = await client.bulk(operations=operations, filter_path=REPLY_FIELDS)
                with translated_errors(translate_unexpected_reply):
                    results.add(part, reply.body)
        results.raise_for_failures(len(entries))
        await self._indices.delete_expired(client)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return matching entries, including those just written."""
        query = LogQuery.of(**filters)
        with translated_errors(translate_without_entries):
            return await search(self._connected(), query, self.settings.elasticsearch_index_prefix)

    async def stats(self, *, by: Group = "tool", **filters: Any) -> CallStats:
        """Return statistics of all matching tool calls; the percentiles are estimates."""
        query = LogQuery.of_calls(**filters)
        with translated_errors(translate_without_entries):
            return await call_stats(self._connected(), query, self.settings.elasticsearch_index_prefix, by=by)

    async def histogram(self, period: Period, **filters: Any) -> Histogram:
        """Return all matching tool calls of a period over time."""
        query = LogQuery.of_calls(**{**filters, "since": period.since, "until": period.until})
        with translated_errors(translate_without_entries):
            return await call_histogram(self._connected(), query, self.settings.elasticsearch_index_prefix, period)

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest entry; None if there is none."""
        with translated_errors(translate_without_entries):
            return await oldest_entry(self._connected(), self.settings.elasticsearch_index_prefix)

    async def contents(self) -> Contents:
        """Return what is in the daily indices; without the privilege `monitor`, not how large they are."""
        with translated_errors(translate_without_entries):
            return await index_contents(self._connected(), self.settings.elasticsearch_index_prefix)

    async def close(self) -> None:
        """Close the connections; the next write opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _connected(self) -> AsyncElasticsearch:
        if self._client is None:
            self._client = build_client(self.settings)
        return self._client
