"""What the command prints: tables, JSON lines, and text that is safe for a terminal."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import sys
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from ..logging.printable import printable, printable_json
from ..logging.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

GAP = "  "
"""What separates the columns of a table."""
EMPTY = "-"
"""An empty cell in a pipe, so that every line has the same number of words before the last column."""
ROOM = 24
"""Characters of the last column that narrower columns make room for."""

_LONG_WORD = re.compile(r"(\S{500})\S+(\S{100})")
"""A word of more than 600 characters, as its beginning and its end."""


def harmless(text: str) -> str:
    """Return foreign text on one line, without secrets and terminal control characters; long words are cut."""
    return _LONG_WORD.sub(r"\1…\2", printable(Redactor().text(text)))


class _HarmlessFormatter(logging.Formatter):
    """Format the lines that are logged before the server's own logging starts, or by verbs that do not start it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record on one line."""
        return harmless(super().format(record))


def make_log_lines_harmless() -> None:
    """Escape control characters in log lines."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_HarmlessFormatter())


def json_line(values: dict[str, Any]) -> str:
    """Return an object as a line of JSON that stdout can encode; its own escapes would not be valid JSON."""
    text = printable_json(orjson.dumps(values).decode())
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        text = json.dumps(values, separators=(",", ":"))
    return f"{text}\n"


class Style(StrEnum):
    """How a terminal shows a text, as the parameter of an SGR sequence."""

    PLAIN = ""
    BAD = "31"
    WARNING = "33"
    FAINT = "2"
    TITLE = "1"


@dataclass(frozen=True, kw_only=True, slots=True)
class Terminal:
    """Where stdout goes: to a terminal with a width in characters, or without a width to a pipe or a file."""

    width: int | None = None
    has_colour: bool = False

    @classmethod
    def of_stdout(cls) -> Terminal:
        """Return what stdout is now; NO_COLOR and TERM=dumb switch colours off."""
        if not sys.stdout.isatty():
            return cls()
        is_plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        is_old = os.name == "nt" and "WT_SESSION" not in os.environ  # the console of Windows shows the sequences
        return cls(width=shutil.get_terminal_size().columns, has_colour=not is_plain and not is_old)

    def paint(self, text: str, style: Style) -> str:
        """Return a text in a style."""
        return f"\x1b[{style}m{text}\x1b[0m" if style and text and self.has_colour else text


def width_of(text: str) -> int:
    """Return the columns that a terminal needs for a text: two for a wide character, none for a combining one."""
    return len(text) if text.isascii() else sum(map(_width_of_character, text))


def _width_of_character(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def truncate(text: str, width: int) -> str:
    """Return a text that needs at most `width` columns, with an ellipsis at its end if it was longer."""
    if width_of(text) <= width:
        return text
    shown, used = "", 1
    for character in text:
        used += _width_of_character(character)
        if used > width:
            break
        shown += character
    return f"{shown}…"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of a table; it is at least as wide as its title.

    `floor` is how narrow it may become on a terminal that is too narrow for the table; None means that it does not.
    """

    title: str
    is_number: bool = False
    floor: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in a table, and its style."""

    text: str
    style: Style = Style.PLAIN


class Table:
    """Aligned columns below a header. Later rows align with earlier ones unless they are wider.

    On a terminal, a line that is too long is truncated; in a pipe, every cell is whole.
    """

    def __init__(self, columns: Sequence[Column], terminal: Terminal, *, widths: Sequence[int] = ()) -> None:
        self._columns = columns
        self._terminal = terminal
        self._widths = list(map(max, (len(column.title) for column in columns), widths or [0] * len(columns)))

    def fit(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Widen the columns for rows to come; narrow those with a floor if the terminal is too narrow."""
        for row in rows:
            self._widths = list(map(max, self._widths, (width_of(self._shown(cell)) for cell in row)))
        if self._terminal.width is None:
            return
        *others, last = self._widths
        missing = sum(others) + min(last, ROOM) + len(GAP) * len(others) - self._terminal.width
        for index, column in enumerate(self._columns):
            if column.floor is not None and missing > 0:
                cut = min(missing, max(self._widths[index] - column.floor, 0))
                self._widths[index] -= cut
                missing -= cut

    def header(self) -> str:
        """Return the line of titles."""
        return self.line([Cell(column.title, Style.FAINT) for column in self._columns])

    def line(self, row: Sequence[Cell]) -> str:
        """Return a row as a line."""
        room = sys.maxsize if self._terminal.width is None else self._terminal.width
        parts = []
        for cell, column, width in zip(row, self._columns, self._widths, strict=True):
            if room <= 0:
                break
            text = truncate(self._shown(cell), min(width, room))
            padding = " " * (width - width_of(text))
            painted = self._terminal.paint(text, cell.style)
            parts.append(padding + painted if column.is_number else painted + padding)
            room -= width + len(GAP)
        return GAP.join(parts).rstrip() + "\n"

    def _shown(self, cell: Cell) -> str:
        return printable(cell.text) or (EMPTY if self._terminal.width is None else "")
