"""The HTTP side of the Convex destination: checked settings in, JSON objects or plain sentences out."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import orjson

from ...errors import MAX_REASON, AccessError, DeliveryError, InvalidEntryError, SettingError
from ...redaction import without_login
from ...writer_thread import WRITER_NAME

if TYPE_CHECKING:
    import httpx

INGEST_PATH = "/logs/ingest"
QUERY_PATH = "/logs/query"
KEEPALIVE_SECONDS = 30.0

_REFUSED = (401, 403)
_REJECTED = (400, 413)
_NOT_FOUND = 404
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_STRANGER = "(is CONVEX_ENDPOINT_URL the .convex.site URL, and are the functions in convex/ deployed?)"
_VALID_URL = "valid is the URL of the deployment's HTTP actions, such as https://happy-otter-123.convex.site"


class ConvexClient:
    """One HTTP client, whose connections are kept; nothing is connected before its first request."""

    def __init__(self, endpoint_url: str, api_key: str) -> None:
        self.url = _checked_url(endpoint_url)
        self._api_key = _checked_key(api_key)
        self._http: httpx.AsyncClient | None = None

    async def request(self, method: str, path: str, *, timeout: float, **options: Any) -> dict[str, Any]:
        """Return the JSON object that is the answer, or raise the DeliveryError that its status means."""
        import httpx  # noqa: PLC0415 - a driver is imported by the destination that is switched on

        try:
            async with asyncio.timeout(timeout):
                response = await self._connected().request(method, path, **options)
        except TimeoutError as error:
            msg = f"Convex at {self.url} has not answered within {timeout:g} s"
            raise DeliveryError(msg) from error
        except httpx.HTTPError as error:
            msg = f"Convex at {self.url} cannot be reached: {type(error).__name__} {error}".rstrip()
            raise DeliveryError(msg) from error
        return self._answer(response)

    def safe(self, text: str) -> str:
        """Return a foreign text as one short line without our key."""
        return " ".join(text.replace(self._api_key, "[redacted]").split())[:MAX_REASON]

    def misunderstanding(self, answer: dict[str, Any], lacking: str) -> DeliveryError:
        """Return the error for an answer that some other server may give, but not the functions in `convex/`."""
        text = self.safe(orjson.dumps(answer).decode())
        return DeliveryError(f"Convex at {self.url} does not tell {lacking}, but answers {text} {_STRANGER}")

    async def close(self) -> None:
        """Close the connections; the next request makes new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    def _connected(self) -> httpx.AsyncClient:
        import httpx  # noqa: PLC0415

        if self._http is None:
            logging.getLogger("httpx").addFilter(_is_worth_a_line)
            self._http = httpx.AsyncClient(
                base_url=self.url,
                headers={"Authorization": f"Bearer {self._api_key}", "Content-Type": "application/json"},
                limits=httpx.Limits(keepalive_expiry=KEEPALIVE_SECONDS),
                timeout=None,  # noqa: S113 - bounded as a whole, by request()
                # A proxy of the environment is for what is beyond this machine.
                mounts={"http://": None, "https://": None} if _is_loopback(self.url) else None,
            )
        return self._http

    def _answer(self, response: httpx.Response) -> dict[str, Any]:
        status, content = response.status_code, _json(response.content)
        if response.is_success and isinstance(content, dict):
            return content
        said = content.get("error", content) if isinstance(content, dict) else response.text
        msg = f"Convex at {self.url} answered {status}: {self.safe(str(said)) or 'nothing'}"
        if status in _REJECTED:
            raise InvalidEntryError(msg)
        if status in _REFUSED:
            msg += " (CONVEX_API_KEY must be the deployment's LOG_INGEST_KEY)"
            raise AccessError(msg)
        if status == _NOT_FOUND or response.is_redirect or response.is_success:
            msg += f" {_STRANGER}"
        raise DeliveryError(msg)


def _checked_url(url: str) -> str:
    """Return the base URL, without a slash at its end and without the route that may have been given with it."""
    base = url.strip().rstrip("/").removesuffix(INGEST_PATH).rstrip("/")
    shown = without_login(base)
    if not _is_url(base):
        msg = f"CONVEX_ENDPOINT_URL is {shown!r}; {_VALID_URL}"
        raise SettingError(msg)
    if not base.startswith("https:") and not _is_loopback(base):
        msg = f"CONVEX_ENDPOINT_URL is {shown!r}, over which the key would go unencrypted; {_VALID_URL}"
        raise SettingError(msg)
    return base


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and has_host and not any(sign in url for sign in "@?# \\")


def _checked_key(key: str) -> str:
    key = key.strip()
    if not key:
        msg = "CONVEX_API_KEY is not set; valid is the value of the deployment's variable LOG_INGEST_KEY"
        raise SettingError(msg)
    if not (key.isascii() and key.isprintable()) or " " in key:
        msg = "CONVEX_API_KEY is not valid: it takes printable ASCII characters without spaces"
        raise SettingError(msg)
    return key


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Tell whether a record of httpx is one of a tool's, or tells more than that we have posted a batch."""
    return record.levelno >= logging.WARNING or record.threadName != WRITER_NAME


def _json(content: bytes) -> object:
    """Return the value of a JSON text, None where it is none."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
