"""The Convex destination: batches posted to the HTTP actions in `convex/`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Self

from ...entry import FIELD_NAMES, iso_utc
from ...errors import PartialDeliveryError
from ...query import MAX_LIMIT, LogQuery
from ..base import BatchDestination, LogEntry
from ..driver import require_driver
from .client import ConvexClient, RejectedEntry
from .encoding import NAMES, encode_requests
from .errors import DEPLOY_HINT
from .settings import ConvexSettings

CONCURRENT_REQUESTS = 4

_logger = logging.getLogger(__name__)


class ConvexDestination(BatchDestination):
    """Store entries as documents of the table `logs`: one transaction per request, idempotent by entry id."""

    name = "convex"
    settings_class = ConvexSettings
    batch_size = 2_000
    driver = "httpx"
    fix_hint = (
        "CONVEX_ENDPOINT_URL must name a deployment with the functions in convex/, CONVEX_API_KEY its LOG_INGEST_KEY"
    )

    def __init__(self, settings: ConvexSettings) -> None:
        self._client = ConvexClient(settings)
        self._known = frozenset(FIELD_NAMES)  # the fields that the deployment can store, as far as it has told

    @classmethod
    def from_config(cls, config: ConvexSettings) -> Self:
        """Build the destination; raise SettingError if httpx is missing or a setting is malformed."""
        require_driver(cls.driver, name=cls.name)
        return cls(config)

    async def open(self) -> None:
        """Connect, store nothing, and learn the deployment's fields; raise AccessError if it rejects the key."""
        await self._ingest(b"[]", count=0)

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Store entries in a few concurrent requests; the deployment skips entries that it already has."""
        known = self._known
        requests, rejected = encode_requests(entries, known), list[tuple[LogEntry, str]]()

        async def send_requests() -> None:
            for part, documents in requests:  # shared: each request is encoded when a sender is free
                items = await self._ingest(documents, count=len(part))
                rejected.extend((part[item.index], item.error) for item in items)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENT_REQUESTS):
                    group.create_task(send_requests())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if rejected:
            reason = self._client.one_line(rejected[0][1])
            msg = f"Convex rejected {len(rejected)} of {len(entries)} entries: {reason}"
            refused = [entry for entry, _ in rejected]
            if known != self._known:  # the entries were encoded for other functions than those deployed
                raise PartialDeliveryError(msg, retryable=refused, invalid=[])
            raise PartialDeliveryError(msg, retryable=[], invalid=refused)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return matching entries, newest first; the slowest ones are those of the newest 10,000."""
        query = LogQuery.of(**filters)
        return await (self._slowest(query) if query.slowest else self._newest(query))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _ingest(self, documents: bytes, *, count: int) -> list[RejectedEntry]:
        """Store documents; return the rejected ones."""
        receipt = await self._client.ingest(documents, count=count)
        if receipt.known != self._known:
            self._known = receipt.known
            if missing := [name for name in FIELD_NAMES if name not in self._known]:
                _logger.warning(
                    "Convex at %s stores %s in extraData: %s", self._client.url, ", ".join(missing), DEPLOY_HINT
                )
        return receipt.rejected

    async def _slowest(self, query: LogQuery) -> list[LogEntry]:
        """Sort the newest entries with a duration, because no index of the deployment sorts by it."""
        timed = {"limit": MAX_LIMIT, "offset": 0, "min_duration_ms": query.min_duration_ms or 0.0}
        entries = await self._newest(query.model_copy(update=timed))
        entries.sort(key=lambda entry: entry.duration_ms or 0.0, reverse=True)
        return entries[query.offset : query.offset + query.limit]

    async def _newest(self, query: LogQuery) -> list[LogEntry]:
        """Read in several requests: the deployment searches part of the table in each."""
        found = list[LogEntry]()
        parameters = _parameters(query)
        while len(found) < query.limit:
            page = await self._client.query({**parameters, "limit": query.limit - len(found)})
            found += page.logs
            if not page.cursor:
                break
            parameters["cursor"] = page.cursor
            parameters["offset"] -= page.skipped
        return found


def _parameters(query: LogQuery) -> dict[str, Any]:
    """Return the query as URL parameters, without its limit."""
    parameters = {
        **{NAMES[name]: value for name, value in query.equals.items()},
        "level": query.level,
        "anyId": query.any_id,
        "minDurationMs": query.min_duration_ms,
        "since": query.since and iso_utc(query.since),
        "until": query.until and iso_utc(query.until),
        "text": query.text,
        "offset": query.offset,
    }
    return {name: value for name, value in parameters.items() if value is not None}
