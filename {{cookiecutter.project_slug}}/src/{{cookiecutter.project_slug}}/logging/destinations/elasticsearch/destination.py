"""Elasticsearch: a document per entry in daily indices, written by `_bulk`, found again by `_search`."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, SecretStr

from ...errors import DeliveryError, InvalidEntryError
from ...query import LogQuery
from ...settings import LogSettings, TextList
from ...throttle import Throttle
from ..base import RETENTION_INTERVAL, LogDestination, LogEntry
from ..driver import require_driver
from .client import Credentials, checked_ca_certs, checked_hosts, connect, explained, understood
from .encoding import Results, indices, requests
from .schema import (
    TEMPLATE_VERSION,
    all_indices,
    checked_prefix,
    entry_of,
    expired,
    index_body,
    index_template,
    is_ours,
    search_request,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from elasticsearch import AsyncElasticsearch

HOSTS = ["http://localhost:9200"]
INDEX_PREFIX = "mcp-logs"
REQUEST_TIMEOUT = 60.0
REQUEST_TIMEOUT_MARGIN = 30.0
"""Seconds the client waits longer than the write timeout of the wrapper around us, which is the one that counts."""
PAGE = 1_000
"""Hits asked for at once."""
_REPLY = "errors,items.*.status,items.*.error"
_TEMPLATE_REFUSED = (400, 403)
_TEMPLATE_REFUSALS = ("illegal_argument_exception", "security_exception")
"""No permission; a template of somebody else with the same pattern and priority."""

_logger = logging.getLogger(__name__)


class ElasticsearchSettings(LogSettings):
    """Settings of the Elasticsearch destination."""

    elasticsearch_hosts: TextList = Field(
        default=HOSTS, description="Addresses with scheme and port, comma-separated; used in turn."
    )
    elasticsearch_index_prefix: str = Field(
        default=INDEX_PREFIX, description="What the daily indices begin with: <prefix>-YYYY.MM.DD."
    )
    elasticsearch_api_key: SecretStr | None = Field(
        default=None, description="API key, as id:key or in its base64 form."
    )
    elasticsearch_username: str | None = Field(default=None, description="User of basic authentication.")
    elasticsearch_password: SecretStr | None = Field(default=None, description="Password of that user.")
    elasticsearch_ca_certs: str | None = Field(
        default=None, description="PEM file of the authorities to trust, or a folder; unset: those of certifi."
    )
    elasticsearch_verify_certs: bool = Field(default=True, description="Check the server's certificate and host name.")


class ElasticsearchDestination(LogDestination):
    """Documents of `<prefix>-YYYY.MM.DD` by the event's own UTC date, idempotent by entry id, which is their `_id`.

    `retention_days` of 0 keeps everything. Raises SettingError for a malformed setting.
    """

    name = "elasticsearch"
    settings_class = ElasticsearchSettings
    driver = "elasticsearch"
    driver_loggers = ("elasticsearch", "elastic_transport")
    fix_hint = (
        "ELASTICSEARCH_HOSTS must name nodes that run, ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USERNAME and "
        "ELASTICSEARCH_PASSWORD, who may write there, ELASTICSEARCH_CA_CERTS who signed the certificate of https"
    )

    def __init__(
        self,
        hosts: Sequence[str],
        *,
        index_prefix: str = INDEX_PREFIX,
        api_key: str | None = None,
        username: str | None = None,
        password: str | None = None,
        ca_certs: str | None = None,
        verify_certs: bool = True,
        retention_days: int = 0,
        request_timeout: float = REQUEST_TIMEOUT,
    ) -> None:
        self.index_prefix = checked_prefix(index_prefix)
        self.ca_certs = checked_ca_certs(ca_certs)
        self.verify_certs = verify_certs
        self.retention_days = retention_days
        self.request_timeout = request_timeout
        self._hosts = checked_hosts(hosts)
        self._credentials = Credentials.of(api_key=api_key, username=username, password=password)
        self._client: AsyncElasticsearch | None = None
        self._template_settled = False
        self._indices_made: set[str] | None = None
        self._expiry = Throttle(RETENTION_INTERVAL)

    @classmethod
    def from_config(cls, config: ElasticsearchSettings) -> Self:
        """Build the destination; raise MissingDriverError without elasticsearch[async]."""
        for module in (cls.driver, "aiohttp"):
            require_driver(module, name=cls.name, package="elasticsearch[async]")
        return cls(
            config.elasticsearch_hosts,
            index_prefix=config.elasticsearch_index_prefix,
            api_key=_revealed(config.elasticsearch_api_key),
            username=config.elasticsearch_username,
            password=_revealed(config.elasticsearch_password),
            ca_certs=config.elasticsearch_ca_certs,
            verify_certs=config.elasticsearch_verify_certs,
            retention_days=config.log_retention_days,
            request_timeout=config.log_write_timeout_ms / 1000 + REQUEST_TIMEOUT_MARGIN,
        )

    async def open(self) -> None:
        """Make the index template unless it is there; raise AccessError where the cluster does not accept us."""
        client = self._connected()
        if self._template_settled:
            return
        try:
            with explained():
                await self._settle_template(client)
        except InvalidEntryError as error:  # of no entry, since none was sent
            raise DeliveryError(str(error)) from error
        self._template_settled = True

    async def write(self, entry: LogEntry) -> None:
        """Index one entry."""
        await self.write_batch([entry])

    async def write_batch(self, entries: Sequence[LogEntry]) -> None:
        """Index entries; those already there are left as they are."""
        await self.open()
        client, results = self._connected(), Results()
        with explained():
            await self._make_indices(client, entries)
            for part, body in requests(entries, self.index_prefix):
                operations: Any = [body]  # the stubs know mappings only
                reply = await client.bulk(operations=operations, filter_path=_REPLY)
                with understood("what became of the entries"):
                    results.add(part, reply.body)
        results.check(len(entries))
        await self._expire(client)

    async def query(self, **filters: Any) -> list[LogEntry]:
        """Return the newest matching entries, those just written included; an index that is not there holds none."""
        query = LogQuery.of(**filters)
        with explained():
            return await self._search(self._connected(), query)

    async def close(self) -> None:
        """Close the client's connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    def _connected(self) -> AsyncElasticsearch:
        """Return the client, which connects by itself, and again whenever it has to."""
        if self._client is None:
            self._client = connect(
                self._hosts,
                self._credentials,
                ca_certs=self.ca_certs,
                verify_certs=self.verify_certs,
                request_timeout=self.request_timeout,
            )
        return self._client

    async def _settle_template(self, client: AsyncElasticsearch) -> None:
        """Put the template unless this version of it is there, so that what an administrator changed in it stays."""
        from elasticsearch import ApiError  # noqa: PLC0415 - a driver is imported by the destination that is switched on

        try:
            if await self._template_version(client) < TEMPLATE_VERSION:
                await client.indices.put_index_template(name=self.index_prefix, **index_template(self.index_prefix))
        except ApiError as error:
            if error.meta.status not in _TEMPLATE_REFUSED or error.error not in _TEMPLATE_REFUSALS:
                raise
            self._indices_made = set()
            _logger.warning("Indices %s-* are made one by one, without a template: %s", self.index_prefix, error)

    async def _make_indices(self, client: AsyncElasticsearch, entries: Sequence[LogEntry]) -> None:
        """Make the indices that entries go to, where there is no template to make them right."""
        from elasticsearch import ApiError  # noqa: PLC0415

        if self._indices_made is None:
            return
        for index in indices(entries, self.index_prefix) - self._indices_made:
            try:
                await client.indices.create(index=index, **index_body())
            except ApiError as error:
                # Known already, or forbidden as well: `_bulk` tells what comes of that.
                if error.meta.status not in _TEMPLATE_REFUSED:
                    raise
            self._indices_made.add(index)

    async def _template_version(self, client: AsyncElasticsearch) -> int:
        from elasticsearch import NotFoundError  # noqa: PLC0415

        try:
            reply = await client.indices.get_index_template(name=self.index_prefix)
        except NotFoundError:
            return 0
        with understood("which index templates there are"):
            return int(reply["index_templates"][0]["index_template"].get("version", 0))

    async def _search(self, client: AsyncElasticsearch, query: LogQuery) -> list[LogEntry]:
        await self._refresh(client)
        found, after, skip = list[LogEntry](), None, query.offset
        size = min(PAGE, query.offset + query.limit)
        while len(found) < query.limit:
            reply = await client.search(**search_request(query, self.index_prefix, size=size, after=after))
            with understood("which entries there are"):
                self._check_shards(reply["_shards"].get("failures", ()))
                hits = reply["hits"]["hits"]
                matches = [entry for hit in hits if (entry := entry_of(hit, query, self.index_prefix))]
            found += matches[skip:]
            skip = max(0, skip - len(matches))
            if len(hits) < size:
                break
            after = hits[-1]["sort"]
        return found[: query.limit]

    def _check_shards(self, failures: Iterable[Mapping[str, Any]]) -> None:
        """Raise DeliveryError where an index of ours could not be searched: half an answer looks like a whole one."""
        for failure in failures:
            if is_ours(failure["index"] or "", self.index_prefix):
                msg = f"Elasticsearch could not search {failure['index']}: {failure['reason'].get('reason')}"
                raise DeliveryError(msg)

    async def _refresh(self, client: AsyncElasticsearch) -> None:
        from elasticsearch import AuthorizationException  # noqa: PLC0415

        # Who may only read finds what is older than the index's refresh_interval, one second unless changed.
        with contextlib.suppress(AuthorizationException):
            await client.indices.refresh(index=all_indices(self.index_prefix), ignore_unavailable=True)

    async def _expire(self, client: AsyncElasticsearch) -> None:
        """Delete indices past retention; what was written is written, so a failure here is only said."""
        from elasticsearch import ApiError, TransportError  # noqa: PLC0415

        if not self.retention_days or not self._expiry.ready():
            return
        try:
            found = await client.indices.get_alias(
                index=all_indices(self.index_prefix), expand_wildcards=["open", "closed"]
            )
            for index in expired(found, self.index_prefix, self.retention_days):
                await client.indices.delete(index=index, ignore_unavailable=True)
        except (ApiError, TransportError) as error:
            _logger.warning("Indices %s-* past retention are not deleted: %s", self.index_prefix, error)


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
