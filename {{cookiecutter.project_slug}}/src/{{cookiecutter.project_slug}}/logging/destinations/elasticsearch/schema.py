"""The daily indices in Elasticsearch: names, mapping, template and retention."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ...entry import FIELD_NAMES, JSON_FIELDS
from ...errors import DeliveryError
from ...throttle import Throttle
from ..base import RETENTION_INTERVAL
from ..driver import translated_errors
from .errors import translate, translate_unexpected_reply

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

TEMPLATE_VERSION = 1
TEMPLATE_PRIORITY = 500
"""Above the templates that a cluster ships with; the prefix's length is added, so the more specific prefix wins."""
MAX_INDEXED_CHARACTERS = 8_191
"""Longer keywords are stored but not indexed: a term has at most 32,766 bytes, a character up to four."""

_KEYWORD = {"type": "keyword", "ignore_above": MAX_INDEXED_CHARACTERS}
_LOWER = {"lower": {**_KEYWORD, "normalizer": "lowercase", "doc_values": False}}
_TEXT = {"type": "text", "fields": _LOWER}
_FIELD_TYPES: dict[str, dict[str, Any]] = {
    **dict.fromkeys(FIELD_NAMES, _KEYWORD),
    "timestamp": {"type": "date_nanos", "ignore_malformed": True},  # `date` would drop microseconds
    "message": _TEXT,
    "output_summary": _TEXT,
    "error_message": _TEXT,
    "tool_name": {**_KEYWORD, "fields": _LOWER},
    "duration_ms": {"type": "double"},
    "line": {"type": "long"},
    "process_id": {"type": "long"},
    **{name: {"type": "object", "enabled": False} for name in JSON_FIELDS},
}
_TEMPLATE_REJECTED = ((403, "security_exception"), (400, "illegal_argument_exception"))
"""No permission, or another template has the same pattern and priority."""

_logger = logging.getLogger(__name__)


def daily_index(prefix: str, day: date) -> str:
    """Return the name of the index for a day."""
    return f"{prefix}-{day.year:04}.{day.month:02}.{day.day:02}"


def index_pattern(prefix: str) -> str:
    """Return a pattern that matches all daily indices of a prefix; it may match foreign indices too."""
    return f"{prefix}-*.*.*"


def day_of(index: str, prefix: str) -> date | None:
    """Return the day of a daily index of exactly this prefix, or None for any other index."""
    found = re.fullmatch(rf"{re.escape(prefix)}-([0-9]{{4}})\.([0-9]{{2}})\.([0-9]{{2}})", index)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def index_body() -> dict[str, Any]:
    """Return the settings and mapping of a daily index; unknown fields are stored but not indexed."""
    return {
        "settings": {"auto_expand_replicas": "0-1"},
        "mappings": {"dynamic": False, "properties": _FIELD_TYPES},
    }


def index_template(prefix: str) -> dict[str, Any]:
    """Return the arguments of `put_index_template`."""
    return {
        "index_patterns": [f"{prefix}-*"],
        "priority": TEMPLATE_PRIORITY + len(prefix),
        "version": TEMPLATE_VERSION,
        "template": index_body(),
    }


class DailyIndices:
    """Create and expire the daily indices of one prefix; `retention_days` of 0 keeps them forever."""

    def __init__(self, prefix: str, *, retention_days: int) -> None:
        self.prefix = prefix
        self.retention_days = retention_days
        self._is_prepared = False
        self._has_template = True
        self._created: set[str] = set()
        self._expiry = Throttle(RETENTION_INTERVAL)

    async def prepare(self, client: AsyncElasticsearch) -> None:
        """Create the index template, unless the cluster has this version: an administrator may have changed it."""
        from elasticsearch import ApiError  # noqa: PLC0415 - a driver is imported on first use

        if self._is_prepared:
            return
        try:
            if await self._template_version(client) < TEMPLATE_VERSION:
                await client.indices.put_index_template(name=self.prefix, **index_template(self.prefix))
        except ApiError as error:
            if (error.meta.status, error.error) not in _TEMPLATE_REJECTED:
                raise
            self._has_template = False
            _logger.warning("Each index %s-* is created without a template: %s", self.prefix, translate(error))
        self._is_prepared = True

    async def create_missing(self, client: AsyncElasticsearch, days: Iterable[date]) -> None:
        """Create the indices of these days if there is no template; with a template, the cluster creates them."""
        if self._has_template:
            return
        for index in {daily_index(self.prefix, day) for day in days} - self._created:
            # The index exists (400), or we may not create it (403), which writing to it then reports.
            await client.options(ignore_status=(400, 403)).indices.create(index=index, **index_body())
            self._created.add(index)

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

    async def _template_version(self, client: AsyncElasticsearch) -> int:
        """Return the version of the template in the cluster; 0 if it does not exist or has no version."""
        reply = await client.options(ignore_status=HTTPStatus.NOT_FOUND).indices.get_index_template(name=self.prefix)
        if reply.meta.status == HTTPStatus.NOT_FOUND:
            return 0
        with translated_errors(translate_unexpected_reply):
            return int(reply["index_templates"][0]["index_template"].get("version", 0))
