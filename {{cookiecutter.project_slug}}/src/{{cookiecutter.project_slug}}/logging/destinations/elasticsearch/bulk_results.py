"""The outcome of each entry of a batch that was sent by `_bulk`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...entry import LogEntry
from ...errors import MAX_REASON, AccessError, PartialDeliveryError
from .errors import is_temporary

REPLY_FIELDS = "errors,items.*.status,items.*.error"
"""The parts of a reply that are read; the `filter_path` of the request."""
_WRITTEN = frozenset({200, 201, 409})  # 409: the entry exists, because an earlier attempt wrote it
_BUSY = frozenset({429, *range(500, 600)})
_DENIED = frozenset({401, 403})


class BulkResults:
    """Collect the entries of a batch that were not written."""

    def __init__(self) -> None:
        self.retryable: list[LogEntry] = []
        self.invalid: list[LogEntry] = []
        self._denied = 0
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

        If all of them failed for a missing permission, the batch as a whole is denied.
        """
        failed = len(self.retryable) + len(self.invalid)
        if not failed:
            return
        if self._denied == total:
            msg = f"Elasticsearch denies writing: {self._reason}"
            raise AccessError(msg)
        msg = f"Elasticsearch did not accept {failed} of {total} entries: {self._reason}"
        raise PartialDeliveryError(msg, retryable=self.retryable, invalid=self.invalid)

    def _add_failure(self, entry: LogEntry, status: int, error: Mapping[str, Any]) -> None:
        kind, reason = error.get("type"), error.get("reason")
        if not self._reason:
            self._reason = f"{status} {kind}: {reason}"[:MAX_REASON]
        if status in _BUSY or is_temporary(kind, reason):
            self.retryable.append(entry)
            return
        self.invalid.append(entry)
        self._denied += status in _DENIED
