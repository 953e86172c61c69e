"""The settings of the Elasticsearch destination and their checks."""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from ...errors import SettingError
from ...redaction import without_login
from ...settings import LogSettings, TextList, full_path

MAX_PREFIX_BYTES = 244  # an index name has at most 255 bytes, and the date takes eleven of them
_HOST_AND_PORT = re.compile(r"(?!https?:)(?:([\w.-]+)|\[([\w.:]+)\]):\d+", re.ASCII)
"""An address without a scheme, such as localhost:9200 or [::1]:9200."""


class ElasticsearchSettings(LogSettings):
    """Settings of the Elasticsearch destination."""

    elasticsearch_hosts: TextList = Field(
        default=["http://localhost:9200"],
        description="Addresses such as localhost:9200, comma-separated; used in turn.",
    )
    elasticsearch_index_prefix: str = Field(
        default="mcp-logs", description="Prefix of the daily indices <prefix>-YYYY.MM.DD."
    )
    elasticsearch_api_key: SecretStr | None = Field(default=None, description="API key, as id:key or in base64.")
    elasticsearch_username: str | None = Field(default=None, description="User name for basic authentication.")
    elasticsearch_password: SecretStr | None = Field(default=None, description="Password for basic authentication.")
    elasticsearch_ca_certs: str | None = Field(
        default=None, description="PEM file or folder of the CAs to trust; if unset, the CAs of certifi."
    )
    elasticsearch_verify_certs: bool = Field(default=True, description="Check the server's certificate and host name.")


def check_settings(settings: ElasticsearchSettings) -> None:
    """Raise SettingError if a value is malformed; the text never contains a secret."""
    _check_hosts(settings.elasticsearch_hosts)
    _check_index_prefix(settings.elasticsearch_index_prefix)
    _check_credentials(settings)
    if path := ca_path(settings):
        _check_ca(path)


def urls(settings: ElasticsearchSettings) -> list[str]:
    """Return the URLs of the hosts."""
    return [_url(host) for host in settings.elasticsearch_hosts]


def api_key(settings: ElasticsearchSettings) -> str:
    """Return the API key, or an empty string if it is unset."""
    secret = settings.elasticsearch_api_key
    return secret.get_secret_value().strip() if secret else ""


def password(settings: ElasticsearchSettings) -> str:
    """Return the password, or an empty string if it is unset."""
    secret = settings.elasticsearch_password
    return secret.get_secret_value() if secret else ""


def ca_path(settings: ElasticsearchSettings) -> Path | None:
    """Return the absolute path of the CA file or folder, or None if it is unset."""
    path = settings.elasticsearch_ca_certs
    return full_path(path, setting="ELASTICSEARCH_CA_CERTS") if path else None


def _check_hosts(hosts: Sequence[str]) -> None:
    if not hosts:
        msg = "ELASTICSEARCH_HOSTS is empty; it must contain at least one address such as http://localhost:9200"
        raise SettingError(msg)
    for host in hosts:
        if problem := _host_problem(host):
            msg = f"ELASTICSEARCH_HOSTS contains {_public_part(host)!r}: {problem}; an example is http://localhost:9200"
            raise SettingError(msg)


def _url(host: str) -> str:
    """Return a host as a URL: without a scheme, it is http on this machine and https elsewhere."""
    if not (found := _HOST_AND_PORT.fullmatch(host)):
        return host
    return f"{'http' if _is_loopback(found[1] or found[2]) else 'https'}://{host}"


def _is_loopback(name: str) -> bool:
    try:
        return name.lower() == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _host_problem(host: str) -> str:
    try:
        url = urlsplit(_url(host))
        port = url.port
    except ValueError:
        return "it is not a valid URL (in a password, write / @ : , # ? as %2F %40 %3A %2C %23 %3F)"
    if url.scheme not in {"http", "https"}:
        return "it must be host:port or begin with http:// or https://"
    if not url.hostname or url.query or url.fragment:
        return "it must have a host and no query or fragment"
    return "it has no port" if port is None and url.scheme == "http" else ""


def _public_part(host: str) -> str:
    """Return an address without anything that may be a password: a login, and a port that is not a number."""
    return re.sub(r":(?!//|\d+(?:/|$)).*$", ":***", without_login(host))


def _check_index_prefix(prefix: str) -> None:
    if problem := _prefix_problem(prefix):
        msg = f"ELASTICSEARCH_INDEX_PREFIX is {prefix!r}: {problem}; an example is mcp-logs"
        raise SettingError(msg)


def _prefix_problem(prefix: str) -> str:
    if not 1 <= len(prefix.encode(errors="replace")) <= MAX_PREFIX_BYTES:
        return f"it must have 1 to {MAX_PREFIX_BYTES} bytes"
    if prefix != prefix.lower():
        return "it must be in lower case"
    if prefix[0] in "-_+.":
        return "it must not begin with - _ + or ."
    if any(character in '\\/*?"<>|,#: ' or not character.isprintable() for character in prefix):
        return 'it must not contain spaces, control characters or any of \\ / * ? " < > | , # :'
    return ""


def _check_credentials(settings: ElasticsearchSettings) -> None:
    key = api_key(settings)
    has_username, has_password = bool(settings.elasticsearch_username), bool(password(settings))
    if key and (has_username or has_password):
        msg = "ELASTICSEARCH_API_KEY is set together with ELASTICSEARCH_USERNAME or _PASSWORD; use only one of the two"
        raise SettingError(msg)
    if has_username != has_password:
        missing = "PASSWORD" if has_username else "USERNAME"
        msg = f"ELASTICSEARCH_{missing} is not set; basic authentication needs a user name and a password"
        raise SettingError(msg)
    if not re.fullmatch(r"[!-~]*", key):
        msg = "ELASTICSEARCH_API_KEY (not shown) has invalid characters; it must be id:key or its base64 form"
        raise SettingError(msg)


def _check_ca(path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if path.is_dir():
            context.load_verify_locations(capath=path)
        else:
            context.load_verify_locations(cafile=path)
    except OSError as error:
        reason = "it contains no PEM certificate" if isinstance(error, ssl.SSLError) else error.strerror
        msg = f"ELASTICSEARCH_CA_CERTS is {str(path)!r}: {reason}; use a PEM file, or a folder prepared by c_rehash"
        raise SettingError(msg) from error
