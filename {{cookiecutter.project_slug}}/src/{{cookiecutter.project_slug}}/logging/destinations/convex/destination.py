"""The Convex destination: batches posted to the HTTP actions in `convex/`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Self

from ...entry import iso_utc
from ...errors import PartialDeliveryError
from ...query import LogQuery
from ..base import BatchDestination, LogEntry
from ..driver import require_driver
from .client import ConvexClient
from .encoding import NAMES, encode_requests
from .settings import ConvexSettings

CONCURRENT_REQUESTS = 4


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

    @classmethod
    def from_config(cls, config: ConvexSettings) -> Self:
        """Build the destination; raise SettingError if httpx is missing or a setting is malformed."""
        require_driver(cls.driver, name=cls.name)
        return cls(config)

    async def open(self) -> None:
        """Connect and store nothing; raise AccessError if the deployment rejects the key."""
        await self._client.ingest(b"[]", count=0)

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Store entries in a few concurrent requests; the deployment skips entries that it already has."""
        requests, rejected = encode_requests(entries), list[tuple[LogEntry, str]]()

        async def send_requests() -> None:
            for part, documents in requests:  # shared: each request is encoded when a sender is free
                items = await self._client.ingest(documents, count=len(part))
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
            raise PartialDeliveryError(msg, retryable=[], invalid=[entry for entry, _ in rejected])

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return matching entries, newest first; the deployment searches part of the table per request."""
        query, found = LogQuery.of(**filters), list[LogEntry]()
        parameters = _parameters(query)
        while len(found) < query.limit:
            page = await self._client.query({**parameters, "limit": query.limit - len(found)})
            found += page.logs
            if not page.cursor:
                break
            parameters["cursor"] = page.cursor
            parameters["offset"] -= page.skipped
        return found

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def _parameters(query: LogQuery) -> dict[str, Any]:
    """Return the query as URL parameters, without its limit."""
    parameters: dict[str, Any] = {NAMES[name]: value for name, value in query.equals.items()}
    parameters |= {"level": query.level, "offset": query.offset}
    for name, moment in (("since", query.since), ("until", query.until)):
        if moment is not None:
            parameters[name] = iso_utc(moment)
    if query.text is not None:
        parameters["text"] = query.text
    return parameters
