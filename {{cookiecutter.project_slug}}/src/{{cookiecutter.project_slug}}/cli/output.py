"""What the command prints: tables, JSON lines, and text that is safe for a terminal."""

from __future__ import annotations

import io
import json
import logging
import shutil
import sys
from typing import TYPE_CHECKING, Any

import orjson

from ..logging.printable import printable, printable_json
from ..logging.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def harmless(text: str) -> str:
    """Return foreign text on one line, without secrets and terminal control characters."""
    return printable(Redactor().text(text))


class _HarmlessFormatter(logging.Formatter):
    """Format the lines that are logged before the server's own logging starts, or by verbs that do not start it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record on one line."""
        return harmless(super().format(record))


def make_streams_safe() -> None:
    """Escape characters that stdout and stderr cannot encode, and control characters in log lines."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_HarmlessFormatter())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def json_line(values: dict[str, Any]) -> str:
    """Return an object as a line of JSON that stdout can encode; its own escapes would not be valid JSON."""
    text = printable_json(orjson.dumps(values).decode())
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(values, separators=(",", ":"))
    return f"{text}\n"


def truncate(text: str, width: int) -> str:
    """Return a text of at most `width` characters, with an ellipsis at its end if it was longer."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


class Table:
    """Aligned columns below a header. Later rows align with earlier ones unless they are wider."""

    def __init__(self, columns: Sequence[str], widths: Sequence[int] = ()) -> None:
        self._columns = columns
        self._widths = list(widths) or [0] * len(columns)
        self._header = [list(columns)]

    def lines(self, rows: Iterable[dict[str, str]]) -> list[str]:
        """Return rows as lines, the first time with the header; truncate lines only for a terminal."""
        cells = self._header + [[printable(row[name]) for name in self._columns] for row in rows]
        self._header = []
        self._widths = [max(map(len, column)) for column in zip(*cells, map(" ".__mul__, self._widths), strict=True)]
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
        return [truncate("  ".join(map(str.ljust, line, self._widths)).rstrip(), width) + "\n" for line in cells]
