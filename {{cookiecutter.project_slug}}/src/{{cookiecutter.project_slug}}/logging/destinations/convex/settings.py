"""Settings of the Convex destination, and checks of their values."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from ...errors import SettingError
from ...redaction import without_login
from ...settings import LogSettings

INGEST_PATH = "/logs/ingest"

_CLIENT_HOST = re.compile(r"\.convex\.cloud(?=:|$)", re.IGNORECASE)
"""Matches the end of the host that serves a deployment's clients; its HTTP actions are on `.convex.site`."""
_VALID_URL = "it must be the URL of the deployment's HTTP actions, such as https://happy-otter-123.convex.site"


class ConvexSettings(LogSettings):
    """Settings of the Convex destination."""

    convex_endpoint_url: str = Field(
        default="", description="URL of the deployment's HTTP actions: https://<deployment>.convex.site."
    )
    convex_api_key: SecretStr = Field(
        default=SecretStr(""), description="The deployment's LOG_INGEST_KEY; put it into .env or the environment."
    )
    convex_timeout_seconds: float = Field(
        default=10.0, gt=0, le=600, description="Maximum seconds per request; LOG_WRITE_TIMEOUT_MS also limits writes."
    )


def checked_url(url: str) -> str:
    """Return the base URL of the HTTP actions, without a trailing slash or ingest route, also for `.convex.cloud`.

    Raise SettingError if it is malformed.
    """
    base = url.strip().rstrip("/").removesuffix(INGEST_PATH).rstrip("/")
    shown = without_login(base)
    if not _is_http_url(base):
        msg = f"CONVEX_ENDPOINT_URL is {shown!r}; {_VALID_URL}"
        raise SettingError(msg)
    if not base.startswith("https:") and not is_loopback(base):
        msg = f"CONVEX_ENDPOINT_URL is {shown!r}, which would send the key unencrypted; {_VALID_URL}"
        raise SettingError(msg)
    parts = urlsplit(base)
    return parts._replace(netloc=_CLIENT_HOST.sub(".convex.site", parts.netloc)).geturl()


def checked_key(key: str) -> str:
    """Return the key without surrounding spaces; raise SettingError, without showing the key, if it is malformed."""
    key = key.strip()
    if not key:
        msg = "CONVEX_API_KEY is not set; it must be the value of the deployment's variable LOG_INGEST_KEY"
        raise SettingError(msg)
    if not (key.isascii() and key.isprintable()) or " " in key:
        msg = "CONVEX_API_KEY is not valid; it must be printable ASCII without spaces"
        raise SettingError(msg)
    return key


def is_loopback(url: str) -> bool:
    """Return whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_placeholder(url: str) -> bool:
    """Return whether a URL is an example such as https://your-deployment.convex.site: no deployment has such a name."""
    host = urlsplit(url).hostname or ""
    return host.startswith("your-") and host.endswith(".convex.site")


def _is_http_url(url: str) -> bool:
    """Return whether a URL has a host, and no login, query or fragment."""
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and has_host and not any(sign in url for sign in "@?# \\")
