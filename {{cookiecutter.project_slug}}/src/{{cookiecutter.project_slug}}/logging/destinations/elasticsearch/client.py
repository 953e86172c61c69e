"""The Elasticsearch client: checked settings in, plain sentences out."""

from __future__ import annotations

import base64
import contextlib
import logging
import re
import ssl
import warnings
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from ...errors import MAX_REASON, AccessError, DeliveryError, InvalidEntryError, SettingError
from ...redaction import without_login

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from elasticsearch import ApiError, AsyncElasticsearch, TransportError

_STRANGER = "ELASTICSEARCH_HOSTS is not Elasticsearch"
_KINDS: dict[int, type[DeliveryError]] = {
    HTTPStatus.BAD_REQUEST: InvalidEntryError,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: InvalidEntryError,
    HTTPStatus.FORBIDDEN: AccessError,
}


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Who we are, in base64: an API key, or a user and a password, or nobody."""

    api_key: str | None = None
    basic_auth: str | None = None

    @classmethod
    def of(cls, *, api_key: str | None, username: str | None, password: str | None) -> Self:
        """Check the settings, of which an empty one is unset; raise SettingError, which never holds a secret."""
        if api_key and (username or password):
            msg = "ELASTICSEARCH_API_KEY and a user or a password are set: only one of the two ways to log in is valid"
            raise SettingError(msg)
        if bool(username) != bool(password):
            missing, given = ("PASSWORD", "USERNAME") if username else ("USERNAME", "PASSWORD")
            msg = f"ELASTICSEARCH_{missing} is not set, but ELASTICSEARCH_{given} is: both or none are valid"
            raise SettingError(msg)
        if username and password:
            return cls(basic_auth=_base64(f"{username}:{password}"))
        return cls(api_key=_checked_api_key(api_key.strip())) if api_key else cls()


def checked_hosts(hosts: Sequence[str]) -> list[str]:
    """Return the addresses, or raise SettingError that shows the wrong one without its password."""
    if not hosts:
        msg = "ELASTICSEARCH_HOSTS is empty: it takes one or more addresses such as http://localhost:9200"
        raise SettingError(msg)
    for host in hosts:
        if problem := _host_problem(host):
            msg = f"ELASTICSEARCH_HOSTS holds {_host_and_port(host)!r}, which {problem}; valid is http://localhost:9200"
            raise SettingError(msg)
    return list(hosts)


def checked_ca_certs(path: str | None) -> str | None:
    """Return the path of a PEM file or of a folder, or raise SettingError."""
    if not path:
        return None
    place = Path(path).expanduser()
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(
            **{"capath" if place.is_dir() else "cafile": str(place)}
        )
    except OSError as error:
        reason = "no PEM certificate is in it" if isinstance(error, ssl.SSLError) else error.strerror
        msg = f"ELASTICSEARCH_CA_CERTS is {path!r}: {reason}; valid is a PEM file, or a folder of them made by c_rehash"
        raise SettingError(msg) from error
    return str(place)


def connect(
    hosts: Sequence[str], credentials: Credentials, *, ca_certs: str | None, verify_certs: bool, request_timeout: float
) -> AsyncElasticsearch:
    """Return a client that leaves retries to us; nothing is sent before its first request."""
    from elastic_transport import OrjsonSerializer  # noqa: PLC0415 - as all drivers
    from elasticsearch import AsyncElasticsearch  # noqa: PLC0415

    _quieten()
    options: dict[str, Any] = {"ca_certs": ca_certs} if ca_certs else {}
    return AsyncElasticsearch(
        list(hosts),
        api_key=credentials.api_key,
        basic_auth=credentials.basic_auth,
        verify_certs=verify_certs,
        ssl_show_warn=False,
        request_timeout=request_timeout,
        max_retries=0,
        serializer=OrjsonSerializer(),
        **options,
    )


def _quieten() -> None:
    """Keep the driver from a line per request and one per failure, which we raise; levels that are set stay.

    That a body of megabytes holds up an event loop is known, and the loop is the writer's own.
    """
    warnings.filterwarnings("ignore", "Sending a large body directly", ResourceWarning)
    for name, level in (
        ("elastic_transport.transport", logging.WARNING),
        ("elastic_transport.node_pool", logging.ERROR),
    ):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(level)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Raise a DeliveryError of one sentence for what the client raises, with AccessError where asking cannot help."""
    from elasticsearch import ApiError, TransportError  # noqa: PLC0415

    try:
        yield
    except ApiError as error:
        raise _api_error(error) from error
    except TransportError as error:
        raise _transport_error(error) from error


@contextlib.contextmanager
def understood(lacking: str) -> Iterator[None]:
    """Raise a DeliveryError where a reply has another shape than Elasticsearch's: a proxy may answer 200 with any."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        msg = f"What answers at {_STRANGER}: it does not tell {lacking}"
        raise DeliveryError(msg) from error


def _api_error(error: ApiError) -> DeliveryError:
    import elasticsearch  # noqa: PLC0415

    status = error.meta.status
    if isinstance(error, elasticsearch.UnsupportedProductError):
        return DeliveryError(f"What answers at {_STRANGER}")
    if error.error == "media_type_header_exception":
        client = ".".join(map(str, elasticsearch.__version__))
        return AccessError(
            f"The package elasticsearch {client} cannot talk to this older cluster: "
            'run pip install "elasticsearch[async]>=8.18,<9"'
        )
    if status == HTTPStatus.UNAUTHORIZED:
        return AccessError(
            "Elasticsearch does not accept our credentials (401): check ELASTICSEARCH_API_KEY, "
            "or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD"
        )
    return _KINDS.get(status, DeliveryError)(f"Elasticsearch answers {status}: {_reason(error)}")


def _transport_error(error: TransportError) -> DeliveryError:
    from elasticsearch import SerializationError  # noqa: PLC0415

    if isinstance(error, SerializationError):
        return DeliveryError(f"What answers at {_STRANGER}: it does not answer in JSON")
    reason = re.sub(r" ssl:\w+", "", str(error.message))[:MAX_REASON]
    if found := re.search(r"certificate verify failed: (.*?)\.? \(_ssl", reason):
        reason = f"its certificate is not trusted ({found[1]}), check ELASTICSEARCH_CA_CERTS and the host name"
    return DeliveryError(f"Elasticsearch cannot be reached: {reason}")


def _reason(error: ApiError) -> str:
    try:
        return str(error.body["error"]["reason"])[:MAX_REASON]
    except (KeyError, TypeError):
        return "no reason given"


def _host_problem(host: str) -> str:
    try:
        parts = urlsplit(host)
        port = parts.port
    except ValueError:
        return "is no address (in a password, / @ : , # ? are written as %2F %40 %3A %2C %23 %3F)"
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return "needs its scheme, http or https"
    if not parts.hostname or parts.query or parts.fragment:
        return "is no address of a host"
    return "needs its port" if port is None and parts.scheme == "http" else ""


def _host_and_port(host: str) -> str:
    """Return an address without what may be a password: all before the last @, and a port that is no number."""
    return re.sub(r":(?!//|\d+(?:/|$)).*$", ":***", without_login(host))


def _checked_api_key(api_key: str) -> str:
    if not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        msg = "ELASTICSEARCH_API_KEY holds characters that no key has (not shown): it takes id:key or its base64 form"
        raise SettingError(msg)
    return _base64(api_key) if ":" in api_key else api_key


def _base64(text: str) -> str:
    """Return the base64 form of credentials; the driver's own encoding fails on a letter beyond ASCII."""
    return base64.b64encode(text.encode()).decode()
