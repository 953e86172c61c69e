"""Build the Elasticsearch client."""

from __future__ import annotations

import base64
import logging
import warnings
from typing import TYPE_CHECKING, Any

from ...errors import DeliveryError, describe_error
from ..tls_variables import unusable_tls_variable
from .settings import ElasticsearchSettings, api_key, ca_path, password, urls

if TYPE_CHECKING:
    from elasticsearch import AsyncElasticsearch

TIMEOUT_MARGIN = 30.0
"""Seconds by which the client's timeout exceeds the write timeout, so that the write timeout always comes first."""
_LOG_LEVELS = {"elastic_transport.transport": logging.WARNING, "elastic_transport.node_pool": logging.ERROR}
"""Levels that hide one line per request and one per failure, because failures are raised and reported."""


def build_client(settings: ElasticsearchSettings) -> AsyncElasticsearch:
    """Build a client that never retries by itself; it connects with its first request.

    Raise DeliveryError if a file for TLS cannot be read.
    """
    from elastic_transport import OrjsonSerializer  # noqa: PLC0415 - drivers are imported on first use
    from elasticsearch import AsyncElasticsearch  # noqa: PLC0415

    _silence_driver()
    options: dict[str, Any] = _credentials(settings)
    if path := ca_path(settings):
        options["ca_certs"] = str(path)
    try:
        return AsyncElasticsearch(
            urls(settings),
            verify_certs=settings.elasticsearch_verify_certs,
            ssl_show_warn=False,
            request_timeout=settings.log_write_timeout_ms / 1000 + TIMEOUT_MARGIN,
            max_retries=0,
            serializer=OrjsonSerializer(),
            **options,
        )
    except OSError as error:
        msg = unusable_tls_variable() or f"A file for TLS to Elasticsearch cannot be read: {describe_error(error)}"
        raise DeliveryError(msg) from error


def _credentials(settings: ElasticsearchSettings) -> dict[str, str]:
    """Return the client's arguments for an API key or for basic authentication, or none.

    They are encoded here, because the driver cannot encode characters outside latin-1.
    """
    if key := api_key(settings):
        return {"api_key": _base64(key) if ":" in key else key}
    if settings.elasticsearch_username:
        return {"basic_auth": _base64(f"{settings.elasticsearch_username}:{password(settings)}")}
    return {}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _silence_driver() -> None:
    """Hide log lines and a warning of the driver; log levels that are already set stay."""
    for name, level in _LOG_LEVELS.items():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(level)
    # Sending a large body blocks the event loop for a moment; only this destination uses the loop.
    warnings.filterwarnings("ignore", "Sending a large body directly", ResourceWarning)
