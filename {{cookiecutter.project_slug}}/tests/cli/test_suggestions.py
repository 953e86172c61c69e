"""Words of the command line."""

from __future__ import annotations

import pytest

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.suggestions import did_you_mean

NOT_UTF_8 = b"caf\xe9".decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("option", ["--text", "--tool", "--client", "--correlation-id", "--error-type"])
def test_a_value_that_is_not_utf_8_matches_nothing(
    recorded: object, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no error, neither of a codec nor of the destination."""
    assert main(["logs", option, NOT_UTF_8]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"No entries in jsonl match {option} caf\ufffd.")


@pytest.mark.parametrize(
    ("word", "suggestion"),
    [
        ("--clientx", "; did you mean --client?"),
        ("--cor", "; did you mean --correlation-id?"),
        ("-id", "; did you mean --correlation-id?"),
        ("--frobnicate", ""),
    ],
)
def test_a_suggestion_begins_or_ends_like_the_word_or_is_similar(word: str, suggestion: str) -> None:
    """There is none for a word that resembles no other."""
    assert did_you_mean(word, ["--client", "--correlation-id"]) == suggestion
