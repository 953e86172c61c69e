"""The HTTP client of the Convex destination."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, NonNegativeInt, PlainValidator

from ...entry import SCHEMA_1_FIELDS, LogEntry
from ...errors import MAX_REASON
from ...redaction import without_login
from ...writer_thread import WRITER_NAME
from ..driver import translated_errors
from ..tls_variables import check_tls_variables
from .encoding import NAMES, decode_document
from .errors import placeholder_error, status_error, translate_error, unexpected_answer
from .proxies import find_route
from .settings import INGEST_PATH, ConvexSettings, checked_key, checked_url, is_placeholder

if TYPE_CHECKING:
    import httpx

QUERY_PATH = "/logs/query"
KEEPALIVE_SECONDS = 30.0

_logger = logging.getLogger(__name__)


class RejectedEntry(BaseModel):
    """An entry that the deployment did not store, by its index in the request."""

    index: NonNegativeInt
    error: str


class Receipt(BaseModel):
    """The answer to an ingest request; the functions of schema 1 do not name their fields."""

    inserted: NonNegativeInt
    duplicates: NonNegativeInt
    rejected: list[RejectedEntry]
    fields: list[str] = [NAMES[name] for name in SCHEMA_1_FIELDS]

    @property
    def known(self) -> frozenset[str]:
        """The fields of an entry that the deployment can store."""
        return frozenset(name for name, camel in NAMES.items() if camel in self.fields)

    def check_total(self, count: int) -> None:
        """Raise ValueError unless the receipt covers each of `count` entries once."""
        indexes = {item.index for item in self.rejected if item.index < count}
        if len(indexes) < len(self.rejected) or self.inserted + self.duplicates + len(indexes) != count:
            msg = f"The receipt does not cover {count} entries"
            raise ValueError(msg)


class Page(BaseModel):
    """The answer to a query: `cursor` continues it, and `skipped` is how much of the offset is done."""

    logs: list[Annotated[LogEntry, PlainValidator(decode_document)]]
    cursor: str | None = None
    skipped: NonNegativeInt = 0


class ConvexClient:
    """Call the functions in `convex/` of one deployment; requests raise DeliveryError."""

    def __init__(self, settings: ConvexSettings) -> None:
        self.url = checked_url(settings.convex_endpoint_url)
        self.timeout = settings.convex_timeout_seconds
        self.write_timeout = min(self.timeout, settings.attempt_timeout)
        self._key = checked_key(settings.convex_api_key.get_secret_value())
        self._http: httpx.AsyncClient | None = None
        self._place = self.url  # where requests go, for messages
        self._warnings = set[str]()

    async def ingest(self, documents: bytes, *, count: int) -> Receipt:
        """Store a JSON array of `count` documents."""
        body = b'{"logs":' + documents + b"}"
        answer = await self._request("POST", INGEST_PATH, content=body, timeout=self.write_timeout)
        try:
            receipt = Receipt.model_validate_json(answer, strict=True)
            receipt.check_total(count)
        except ValueError:
            raise unexpected_answer(self.one_line(answer), expected="a receipt for each entry", url=self.url) from None
        return receipt

    async def query(self, parameters: dict[str, Any]) -> Page:
        """Return the next page of matching entries."""
        answer = await self._request("GET", QUERY_PATH, params=parameters, timeout=self.timeout)
        try:
            return Page.model_validate_json(answer, strict=True)
        except (ValueError, AttributeError):
            raise unexpected_answer(self.one_line(answer), expected="a list of entries", url=self.url) from None

    async def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def one_line(self, text: str) -> str:
        """Return foreign text as one short line without the key."""
        return " ".join(text.replace(self._key, "[redacted]").split())[:MAX_REASON]

    async def _request(self, method: str, path: str, *, timeout: float, **options: Any) -> str:
        """Send a request; return the body of a successful answer."""
        if is_placeholder(self.url):
            raise placeholder_error(self.url)
        with translated_errors(lambda error: translate_error(error, place=self._place, timeout=timeout)):
            async with asyncio.timeout(timeout):
                response = await self._connected().request(method, path, **options)
        if response.is_success:
            return response.text
        reason, is_refusal = _reason(response)
        raise status_error(response.status_code, self.one_line(reason), url=self.url, is_refusal=is_refusal)

    def _connected(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415 - imported only if the destination is enabled

        if self._http is None:
            logging.getLogger("httpx").addFilter(_keep_record)
            route = find_route(self.url)
            self._place = f"{self.url} through the proxy {without_login(route.proxy)}" if route.proxy else self.url
            if route.warning:
                self._warn_once(route.warning)
            self._http = httpx.AsyncClient(
                base_url=self.url,
                headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
                limits=httpx.Limits(keepalive_expiry=KEEPALIVE_SECONDS),
                timeout=None,  # noqa: S113 - _request limits the whole request
                proxy=route.proxy,
                verify=_tls_context(self.url),
                trust_env=False,  # the two lines above read the environment
            )
        return self._http

    def _warn_once(self, sentence: str) -> None:
        if sentence not in self._warnings:
            self._warnings.add(sentence)
            _logger.warning("Convex: %s", sentence)


def _tls_context(url: str) -> ssl.SSLContext:
    """Return a context that trusts the CAs of SSL_CERT_FILE, SSL_CERT_DIR or certifi; for plain HTTP, one without any.

    Raise DeliveryError if a variable names a file that cannot be used.
    """
    import httpx  # noqa: PLC0415 - imported only if the destination is enabled

    if not url.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    check_tls_variables()
    return httpx.create_ssl_context()


def _keep_record(record: logging.LogRecord) -> bool:
    """Drop the line that httpx logs for each of our requests; keep its warnings and the lines of tools."""
    return record.levelno >= logging.WARNING or record.threadName != WRITER_NAME


def _reason(response: httpx.Response) -> tuple[str, bool]:
    """Return the reason in an answer, and whether it may be a refusal of our functions, or of a server before them.

    The functions answer with an `error`, Convex itself with a `code`, for example while the deployment is paused.
    """
    try:
        answer = response.json()
        return (str(answer["error"]), True) if "error" in answer else (response.text, "code" not in answer)
    except (ValueError, TypeError):
        return response.text, True
