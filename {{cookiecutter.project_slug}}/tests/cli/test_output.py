"""What the command prints: tables, JSON lines, and text that is safe for a terminal."""

from __future__ import annotations

import io
import json
import sys

import pytest

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.output import Table, harmless, json_line, truncate


def test_logs_prints_one_line_per_entry(
    recorded: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error follows its message, and control characters are escaped."""
    monkeypatch.setenv("COLUMNS", "160")
    assert main(["logs"]) == 0
    head, _, failed, _, odd = capsys.readouterr().out.splitlines()
    assert head.split() == ["time", "level", "correlation_id", "tool", "status", "ms", "message"]
    assert failed.endswith("add: error (100% wrong)")
    assert odd.endswith("from\\na library\\x1b[2J")


def test_later_rows_of_a_table_align_with_earlier_ones() -> None:
    """The header is printed once, and only a wider value widens its column."""
    table = Table(("tool", "calls"))
    assert table.lines([{"tool": "longest", "calls": "1"}]) == ["tool     calls\n", "longest  1\n"]
    assert table.lines([{"tool": "add", "calls": "2"}]) == ["add      2\n"]
    assert table.lines([{"tool": "even longer", "calls": "3"}]) == ["even longer  3\n"]


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
