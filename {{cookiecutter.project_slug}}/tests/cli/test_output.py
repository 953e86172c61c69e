"""What the command prints: tables, JSON lines, and text that is safe for a terminal."""

from __future__ import annotations

import io
import json
import sys

import pytest

from {{cookiecutter.project_slug}}.cli.output import (
    Cell,
    Column,
    Style,
    Table,
    Terminal,
    harmless,
    json_line,
    truncate,
    width_of,
)

from .cli_helpers import PIPE

COLUMNS = (Column(title="tool", floor=6), Column(title="calls", is_number=True))


class FakeTerminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        """Return that it is."""
        return True


def lines(table: Table, *rows: tuple[str, ...]) -> list[str]:
    """Return the lines of rows, fitted together."""
    cells = [[Cell(text) for text in row] for row in rows]
    table.fit(cells)
    return [table.line(row) for row in cells]


def test_later_rows_of_a_table_align_with_earlier_ones() -> None:
    """Only a wider value widens its column; numbers are aligned at their right."""
    table = Table(COLUMNS, PIPE)
    assert lines(table, ("longest", "1")) == ["longest      1\n"]
    assert table.header() == "tool     calls\n"
    assert lines(table, ("add", "2")) == ["add          2\n"]
    assert lines(table, ("even longer", "3")) == ["even longer      3\n"]


def test_wide_characters_count_as_two_columns() -> None:
    """Combining ones count as none, so that columns stay aligned."""
    assert [width_of(text) for text in ("abc", "\u5929\u6c17", "e\u0301")] == [3, 4, 1]
    assert truncate("\u5929\u6c17\u4e88\u5831", 6) == "\u5929\u6c17\u2026"
    assert lines(Table(COLUMNS, PIPE), ("\u5929\u6c17", "1"), ("abcd", "2")) == [
        "\u5929\u6c17      1\n",
        "abcd      2\n",
    ]


def test_a_narrow_terminal_narrows_only_columns_with_a_floor() -> None:
    """The last column is truncated; in a pipe, everything is whole."""
    columns = (Column(title="a"), Column(title="b", floor=6), Column(title="c"))
    row = ("x" * 10, "y" * 20, "z" * 50)
    assert lines(Table(columns, Terminal(width=40)), row) == [f"{'x' * 10}  {'y' * 5}\u2026  {'z' * 19}\u2026\n"]
    assert lines(Table(columns, Terminal(width=20)), row) == [f"{'x' * 10}  {'y' * 5}\u2026\n"]
    assert lines(Table(columns, Terminal(width=5)), row) == ["xxxx\u2026\n"]
    assert lines(Table(columns, PIPE), row) == [f"{'  '.join(row)}\n"]


def test_an_empty_cell_in_a_pipe_is_a_dash() -> None:
    """Every line has as many words before its last column as there are columns."""
    assert lines(Table(COLUMNS, PIPE), ("", "1")) == ["-         1\n"]
    assert lines(Table(COLUMNS, Terminal(width=80)), ("", "1")) == ["          1\n"]


def test_styles_do_not_change_the_widths() -> None:
    """The padding is outside the sequences that a terminal interprets."""
    table = Table(COLUMNS, Terminal(width=80, has_colour=True))
    assert table.line([Cell("add", Style.BAD), Cell("1")]) == "\x1b[31madd\x1b[0m       1\n"


def test_only_a_terminal_has_a_width_and_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR, unless it is empty, and TERM=dumb switch colours off."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("WT_SESSION", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert Terminal.of_stdout() == Terminal()
    monkeypatch.setattr(sys, "stdout", FakeTerminal())
    assert Terminal.of_stdout() == Terminal(width=100, has_colour=True)
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
        assert Terminal.of_stdout() == Terminal(width=100)
        monkeypatch.setenv(name, "")


def test_foreign_text_is_safe_for_a_terminal() -> None:
    """It stays on one line, without control characters and secrets."""
    assert harmless("a\nb\x1b[2J") == "a\\nb\\x1b[2J"
    assert "hunter2" not in harmless("password=hunter2")


def test_json_is_valid_on_a_stdout_that_encodes_only_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that stdout cannot encode become JSON's own escapes."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    line = json_line({"text": "\u00c9t\u00e9"})
    assert line.isascii()
    assert json.loads(line) == {"text": "\u00c9t\u00e9"}


def test_a_truncated_text_ends_with_an_ellipsis() -> None:
    """A text that fits stays as it is."""
    assert truncate("abcd", 4) == "abcd"
    assert truncate("abcde", 4) == "abc\u2026"
