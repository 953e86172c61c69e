"""Entries as a download, streamed: JSON lines with everything, or CSV that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from ...logging.entry import FIELD_NAMES
from ...logging.json_safe import encode_json, encode_json_bytes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from ...logging.entry import LogEntry

MEDIA_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How a cell begins that a spreadsheet would run (OWASP, CSV injection)."""


async def lines(
    first: Sequence[LogEntry], others: AsyncIterator[Sequence[LogEntry]], *, form: str
) -> AsyncIterator[bytes]:
    """Yield the file in pieces, one for each page of entries."""
    encode = _csv_of if form == "csv" else _json_lines_of
    if form == "csv":
        yield _csv([FIELD_NAMES])
    yield encode(first)
    async for page in others:
        yield encode(page)


def _json_lines_of(page: Sequence[LogEntry]) -> bytes:
    return b"".join(encode_json_bytes(entry.to_dict()) + b"\n" for entry in page)


def _csv_of(page: Sequence[LogEntry]) -> bytes:
    return _csv([[_cell(value) for value in entry.to_dict().values()] for entry in page])


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    """Return a value as a cell.

    A text that looks like a formula gets an apostrophe, so that spreadsheets show it as text.
    """
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = value if isinstance(value, str) else encode_json(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
