"""The outcome of each entry of a batch that was sent by `_bulk`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...entry import LogEntry
from ...errors import MAX_REASON, AccessError, DeliveryError, PartialDeliveryError

REPLY_FIELDS = "errors,items.*.status,items.*.error"
"""The parts of a reply that are read; the `filter_path` of the request."""
_WRITTEN = frozenset({200, 201, 409})  # 409: the entry exists, because an earlier attempt wrote it
_BUSY = frozenset({429, *range(500, 600)})
_DENIED = frozenset({401, 403})
_UNAVAILABLE = frozenset({"index_closed_exception", "index_not_found_exception", "validation_exception"})
"""Error types that are not the entry's fault: its index is closed or cannot be created, or no shard is left for it."""


class BulkResults:
    """Collect the entries of a batch that were not written."""

    def __init__(self) -> None:
        self.retryable: list[LogEntry] = []
        self.invalid: list[LogEntry] = []
        self._denied = 0
        self._unavailable = 0
        self._reason = ""

    def add(self, entries: Sequence[LogEntry], reply: Mapping[str, Any]) -> None:
        """Read the items of a reply, which have the order of the entries."""
        items = reply["items"]
        if reply["errors"] is False and len(items) == len(entries):
            return
        for entry, item in zip(entries, items, strict=True):
            result = item["create"]
            if result["status"] not in _WRITTEN:
                self._add_failure(entry, result["status"], result.get("error", {}))

    def raise_for_failures(self, total: int) -> None:
        """Raise an error unless all `total` entries of the batch were written.

        If all of them failed for a reason outside their content, the batch as a whole is retried or denied.
        """
        failed = len(self.retryable) + len(self.invalid)
        if not failed:
            return
        if self._denied == total:
            msg = f"Elasticsearch denies writing: {self._reason}"
            raise AccessError(msg)
        if self._unavailable == total:
            msg = f"Elasticsearch cannot index: {self._reason}"
            raise DeliveryError(msg)
        msg = f"Elasticsearch did not accept {failed} of {total} entries: {self._reason}"
        raise PartialDeliveryError(msg, retryable=self.retryable, invalid=self.invalid)

    def _add_failure(self, entry: LogEntry, status: int, error: Mapping[str, Any]) -> None:
        kind = error.get("type")
        if not self._reason:
            self._reason = f"{status} {kind}: {error.get('reason')}"[:MAX_REASON]
        if status in _BUSY:
            self.retryable.append(entry)
            return
        self.invalid.append(entry)
        self._denied += status in _DENIED
        self._unavailable += kind in _UNAVAILABLE
