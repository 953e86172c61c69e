"""Translate exceptions of the Elasticsearch driver."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...errors import MAX_REASON, AccessError, DeliveryError, InvalidEntryError

if TYPE_CHECKING:
    from elasticsearch import ApiError

_NOT_ELASTICSEARCH = "The server at ELASTICSEARCH_HOSTS is not Elasticsearch"
_REPLIED = "Elasticsearch replied {status}: {reason}"
_LOGIN = "ELASTICSEARCH_API_KEY, or ELASTICSEARCH_USERNAME and ELASTICSEARCH_PASSWORD"
_INSTALL = 'pip install "elasticsearch[async]>=8.18,<9"'

TEMPORARY = frozenset(
    {
        "circuit_breaking_exception",
        "cluster_block_exception",
        "es_rejected_execution_exception",
        "index_closed_exception",
        "index_not_found_exception",
        "master_not_discovered_exception",
        "no_shard_available_action_exception",
        "process_cluster_event_timeout_exception",
        "resource_already_exists_exception",
        "routing_missing_exception",
        "unavailable_shards_exception",
        "validation_exception",
    }
)
"""Temporary error types, whatever the status, including those that an administrator resolves: entries are retried.

The cluster, the index or the disk is blocked or overloaded, the index is missing or closed, or no shard is left for it
(validation_exception).
"""
_TEMPORARY_REASONS = re.compile(r"pipeline with id \[.*\] does not exist|no write index is defined for alias")
"""The reasons of an illegal_argument_exception that are not the entry's fault."""

TRANSLATIONS: dict[str | int, tuple[type[DeliveryError], str]] = {
    "UnsupportedProductError": (DeliveryError, _NOT_ELASTICSEARCH),
    "SerializationError": (DeliveryError, f"{_NOT_ELASTICSEARCH}: its reply is not JSON"),
    "media_type_header_exception": (
        AccessError,
        f"The elasticsearch package is too new for the cluster: run {_INSTALL}",
    ),
    **dict.fromkeys(TEMPORARY, (DeliveryError, _REPLIED)),
    401: (AccessError, f"Elasticsearch rejects our credentials (401): check {_LOGIN}"),
    403: (AccessError, _REPLIED),
    400: (InvalidEntryError, _REPLIED),
    413: (InvalidEntryError, _REPLIED),
    "ApiError": (DeliveryError, _REPLIED),
    "untrusted": (DeliveryError, "Elasticsearch's certificate is not trusted ({reason}): check ELASTICSEARCH_CA_CERTS"),
    "TransportError": (DeliveryError, "Elasticsearch cannot be reached: {reason}"),
}
"""Our error and its sentence, by exception class, error type in the reply, or status; the first match counts."""


def translate(error: Exception) -> DeliveryError | None:
    """Return our error for an exception of the driver, or None for any other."""
    from elasticsearch import ApiError, TransportError  # noqa: PLC0415 - a driver is imported on first use

    if isinstance(error, ApiError):
        status = error.meta.status
        return _translation(type(error).__name__, error.error, status, "ApiError", status=status, reason=_reason(error))
    if isinstance(error, TransportError):
        reason = re.sub(r" ssl:\w+", "", str(error.message))[:MAX_REASON]  # aiohttp adds `ssl:default` to addresses
        if untrusted := re.search(r"certificate verify failed: (.*?)\.? \(_ssl", reason):
            return _translation("untrusted", reason=untrusted[1])
        return _translation(type(error).__name__, "TransportError", reason=reason)
    return None


def is_temporary(kind: str | None, reason: str | None) -> bool:
    """Return whether an error of an item passes; its status alone does not tell, as a blocked index answers 403."""
    if kind == "illegal_argument_exception":
        return _TEMPORARY_REASONS.search(reason or "") is not None
    return kind in TEMPORARY


def translate_without_entries(error: Exception) -> DeliveryError | None:
    """Translate an exception of a request that carries no entries, so that none is treated as invalid."""
    translation = translate(error)
    return DeliveryError(str(translation)) if isinstance(translation, InvalidEntryError) else translation


def translate_unexpected_reply(error: Exception) -> DeliveryError | None:
    """Translate an exception from reading a reply: a proxy may answer 200 with any content."""
    if isinstance(error, AttributeError | LookupError | TypeError | ValueError):
        return DeliveryError(f"{_NOT_ELASTICSEARCH}: its reply has an unexpected format")
    return None


def _translation(*keys: str | int, **values: object) -> DeliveryError:
    kind, sentence = next(row for key, row in TRANSLATIONS.items() if key in keys)
    return kind(sentence.format(**values))


def _reason(error: ApiError) -> str:
    try:
        return str(error.body["error"]["reason"])[:MAX_REASON]
    except (KeyError, TypeError):
        return "no reason given"
