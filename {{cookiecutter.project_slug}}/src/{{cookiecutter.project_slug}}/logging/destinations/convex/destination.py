"""Convex: batches posted to the deployment's own HTTP actions, which this project ships in `convex/`."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from pydantic import BaseModel, Field, NonNegativeInt, SecretStr, ValidationError

from ...entry import iso_utc
from ...errors import DeliveryError, InvalidEntryError, PartialDeliveryError
from ...query import LogQuery
from ...settings import LogSettings
from ..base import LogDestination, LogEntry
from ..driver import require_driver
from .client import INGEST_PATH, QUERY_PATH, ConvexClient
from .encoding import NAMES, decode_document, encode_requests

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REQUEST_ENTRIES = 500
"""Entries of one request, which is one transaction: it reads an index range for each, of which it may read 4,096."""
REQUESTS_AT_ONCE = 4


class ConvexSettings(LogSettings):
    """Settings of the Convex destination."""

    convex_endpoint_url: str = Field(
        default="", description="URL of the deployment's HTTP actions: https://<deployment>.convex.site."
    )
    convex_api_key: SecretStr = Field(
        default=SecretStr(""), description="The deployment's LOG_INGEST_KEY; it belongs into .env or the environment."
    )
    convex_timeout_seconds: float = Field(
        default=10.0, gt=0, le=600, description="Seconds a request may take; LOG_WRITE_TIMEOUT_MS also ends writes."
    )


class Rejection(NamedTuple):
    """An entry that cannot be stored, and why."""

    entry: LogEntry
    reason: str


class _Refused(BaseModel):
    """An entry that the deployment does not store, by its place in the request."""

    index: NonNegativeInt
    error: str


class _Receipt(BaseModel):
    """What the deployment did with the entries of a request."""

    inserted: NonNegativeInt
    duplicates: NonNegativeInt
    rejected: list[_Refused]

    def accounts_for(self, count: int) -> bool:
        """Tell whether it speaks of that many entries, and of each one once."""
        places = {item.index for item in self.rejected}
        total = self.inserted + self.duplicates + len(places)
        return total == count and len(places) == len(self.rejected) and all(place < count for place in places)


class ConvexDestination(LogDestination):
    """Documents of the table `logs`, a transaction a request, idempotent by entry id.

    Requests that write end after `write_timeout` where that is shorter than `timeout`. Raises SettingError for a
    malformed setting.
    """

    name = "convex"
    settings_class = ConvexSettings
    batch_size = 2_000
    driver = "httpx"
    fix_hint = (
        "CONVEX_ENDPOINT_URL must name the HTTP actions of a deployment that has this project's functions, "
        "CONVEX_API_KEY its LOG_INGEST_KEY"
    )

    def __init__(
        self, endpoint_url: str, *, api_key: str, timeout: float = 10.0, write_timeout: float | None = None
    ) -> None:
        self.timeout = timeout
        self.write_timeout = min(timeout, write_timeout or timeout)
        self._client = ConvexClient(endpoint_url, api_key)

    @classmethod
    def from_config(cls, config: ConvexSettings) -> Self:
        """Build the destination; raise MissingDriverError without httpx, SettingError for a malformed setting."""
        require_driver(cls.driver, name=cls.name)
        return cls(
            config.convex_endpoint_url,
            api_key=config.convex_api_key.get_secret_value(),
            timeout=config.convex_timeout_seconds,
            write_timeout=config.attempt_timeout,
        )

    async def open(self) -> None:
        """Connect, and post nothing; raise AccessError where the deployment does not take the key."""
        try:
            await self._ingest([], b"[]")
        except InvalidEntryError as error:  # of no entry, since none was sent
            raise DeliveryError(str(error)) from error

    async def write(self, entry: LogEntry) -> None:
        """Post one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Post entries, a few requests at a time; those already there are left as they are."""
        slots, requests = asyncio.Semaphore(REQUESTS_AT_ONCE), list[asyncio.Task[list[Rejection]]]()
        try:
            async with asyncio.TaskGroup() as group:
                for part, logs in _parts(entries):
                    await slots.acquire()
                    requests.append(group.create_task(self._ingest(part, logs)))
                    requests[-1].add_done_callback(lambda _: slots.release())
                    # The request is on its way while the next one is encoded.
                    await asyncio.sleep(0)
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        rejected = [rejection for request in requests for rejection in request.result()]
        if rejected:
            msg = f"Convex rejected {len(rejected)} of {len(entries)} entries: {self._client.safe(rejected[0].reason)}"
            raise PartialDeliveryError(msg, retryable=[], invalid=[rejection.entry for rejection in rejected])

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return the newest matching entries, asking on as long as the deployment has more to look through."""
        query, found = LogQuery.of(**filters), list[LogEntry]()
        offset, cursor = query.offset, ""
        while True:
            parameters = _parameters(query, limit=query.limit - len(found), offset=offset, cursor=cursor)
            answer = await self._client.request("GET", QUERY_PATH, params=parameters, timeout=self.timeout)
            found += self._entries(answer)
            offset, cursor = offset - answer.get("skipped", 0), answer.get("cursor") or ""
            if not cursor or len(found) >= query.limit:
                return found

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _entries(self, answer: dict[str, Any]) -> list[LogEntry]:
        """Return the entries of an answer; raise DeliveryError where the functions in `convex/` would not give it."""
        if isinstance(logs := answer.get("logs"), list):
            with contextlib.suppress(AttributeError, ValueError):
                return list(map(decode_document, logs))
        raise self._client.misunderstanding(answer, "which entries there are")

    async def _ingest(self, entries: Sequence[LogEntry], logs: bytes) -> list[Rejection]:
        """Post one request; return what was rejected, or raise unless the answer accounts for every entry."""
        body = b'{"logs":' + logs + b"}"
        answer = await self._client.request("POST", INGEST_PATH, content=body, timeout=self.write_timeout)
        try:
            receipt = _Receipt.model_validate(answer, strict=True)
        except ValidationError:
            receipt = None
        if receipt is None or not receipt.accounts_for(len(entries)):
            raise self._client.misunderstanding(answer, "what became of the entries")
        return [Rejection(entries[item.index], item.error) for item in receipt.rejected]


def _parts(entries: Sequence[LogEntry]) -> Iterator[tuple[Sequence[LogEntry], bytes]]:
    for start in range(0, len(entries), REQUEST_ENTRIES):
        yield from encode_requests(entries[start : start + REQUEST_ENTRIES])


def _parameters(query: LogQuery, *, limit: int, offset: int, cursor: str) -> list[tuple[str, str | int]]:
    parameters: list[tuple[str, str | int]] = [("limit", limit), ("offset", offset)]
    parameters += [(NAMES[name], value) for name, value in query.equals.items()]
    parameters += [("level", level) for level in query.levels]
    for name, moment in (("since", query.since), ("until", query.until)):
        if moment is not None:
            parameters.append((name, iso_utc(moment)))
    if query.text is not None:
        parameters.append(("text", query.text))
    return [*parameters, ("cursor", cursor)] if cursor else parameters
