"""Create, upgrade and expire the daily indices in Elasticsearch."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ...errors import DeliveryError
from ...throttle import Throttle
from ..base import RETENTION_INTERVAL
from ..driver import translated_errors
from .errors import TEMPORARY, translate, translate_unexpected_reply
from .schema import (
    ADDED_FIELDS,
    TEMPLATE_VERSION,
    daily_index,
    day_of,
    index_body,
    index_pattern,
    index_template,
    upgraded_template,
)

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

_TEMPLATE_REJECTED = ((403, "security_exception"), (400, "illegal_argument_exception"))
"""No permission, or another template has the same pattern and priority."""

_logger = logging.getLogger(__name__)


class DailyIndices:
    """The daily indices of one prefix; `retention_days` of 0 keeps them forever."""

    def __init__(self, prefix: str, *, retention_days: int) -> None:
        self.prefix = prefix
        self.retention_days = retention_days
        self._is_prepared = False
        self._has_template = True
        self._may_add_fields = True
        self._ready: set[str] = set()
        self._expiry = Throttle(RETENTION_INTERVAL)

    async def prepare(self, client: AsyncElasticsearch) -> None:
        """Create the index template, or add the new fields to one of an older version."""
        from elasticsearch import ApiError  # noqa: PLC0415 - a driver is imported on first use

        if self._is_prepared:
            return
        try:
            if template := await self._template_to_put(client):
                await client.indices.put_index_template(name=self.prefix, body=template)
        except ApiError as error:
            if (error.meta.status, error.error) not in _TEMPLATE_REJECTED:
                raise
            self._has_template = False
            _logger.warning("Each index %s-* is created without a template: %s", self.prefix, translate(error))
        self._is_prepared = True

    async def make_ready(self, client: AsyncElasticsearch, days: Iterable[date]) -> None:
        """Let the indices of these days index all fields, once per index.

        With a template, the cluster creates missing indices; an index of an older version lacks fields.
        """
        for index in sorted({daily_index(self.prefix, day) for day in days} - self._ready):
            if not self._has_template:
                # The index exists (400), or we may not create it (403), which writing to it then reports.
                await client.options(ignore_status=(400, 403)).indices.create(index=index, **index_body())
            if await self._has_fields(client, index):
                self._ready.add(index)

    async def delete_expired(self, client: AsyncElasticsearch) -> None:
        """Delete indices past retention, at most once an hour; a failure is only logged."""
        if not self.retention_days or not self._expiry.ready():
            return
        first_kept = (datetime.now(UTC) - timedelta(days=self.retention_days)).date()
        pattern = index_pattern(self.prefix)
        try:
            with translated_errors(translate):
                for index in await client.indices.get_alias(index=pattern, expand_wildcards=["open", "closed"]):
                    day = day_of(index, self.prefix)
                    if day is not None and day < first_kept:
                        await client.indices.delete(index=index, ignore_unavailable=True)
        except DeliveryError as error:
            _logger.warning("Indices %s-* past retention were not deleted: %s", self.prefix, error)

    async def _template_to_put(self, client: AsyncElasticsearch) -> dict[str, Any] | None:
        """Return our template, or an older one with the new fields; None if the cluster has this version."""
        reply = await client.options(ignore_status=HTTPStatus.NOT_FOUND).indices.get_index_template(name=self.prefix)
        if reply.meta.status == HTTPStatus.NOT_FOUND:
            return index_template(self.prefix)
        with translated_errors(translate_unexpected_reply):
            old = reply["index_templates"][0]["index_template"]
            version = int(old.get("version", 0))  # a template without a version is not ours
            if version >= TEMPLATE_VERSION:
                return None
            return upgraded_template(old) if version else index_template(self.prefix)

    async def _has_fields(self, client: AsyncElasticsearch, index: str) -> bool:
        """Add the fields that an existing index lacks; return False if that is blocked for the moment.

        If the cluster rejects it for good, warn, and do not try again.
        """
        from elasticsearch import ApiError  # noqa: PLC0415 - a driver is imported on first use

        try:
            if self._may_add_fields and await self._lacks_fields(client, index):
                await client.indices.put_mapping(index=index, properties=ADDED_FIELDS)
        except ApiError as error:
            if error.meta.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}:
                raise
            if error.error in TEMPORARY:
                return False
            self._may_add_fields = False
            _logger.warning("Searches may miss the new fields of entries in %s: %s", index, translate(error))
        return True

    async def _lacks_fields(self, client: AsyncElasticsearch, index: str) -> bool:
        """Return whether an index exists and has the mapping of an older version."""
        reply = await client.options(ignore_status=HTTPStatus.NOT_FOUND).indices.get_mapping(index=index)
        if reply.meta.status == HTTPStatus.NOT_FOUND:
            return False
        with translated_errors(translate_unexpected_reply):
            known = reply.body.get(index, {}).get("mappings", {}).get("properties", {})
            return not ADDED_FIELDS.keys() <= known.keys()
