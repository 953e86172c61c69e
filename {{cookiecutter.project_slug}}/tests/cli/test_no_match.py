"""What the command says when nothing matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}}.cli import main

from .cli_helpers import make_call, make_failure

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--tool nothere", "No entries in jsonl match --tool nothere. Recorded tools: add.\n"),
        ("--tool ad", "No entries in jsonl match --tool ad. Recorded tools: add; did you mean add?\n"),
        ("--tool add --status cancelled", "No entries in jsonl match --tool add --status cancelled.\n"),
        ("--client x", "No entries in jsonl match --client x. Recorded clients: desktop.\n"),
        ("--principal x", "No entries in jsonl match --principal x. Recorded principals: ada.\n"),
        ("--error-type x", "No entries in jsonl match --error-type x. Recorded error types: ValueError.\n"),
        ("--tool x --json", "No entries in jsonl match --tool x. Recorded tools: add.\n"),
        ("stats --tool x", "No calls in jsonl match --tool x. Recorded tools: add.\n"),
        ("--min-ms 1000000", "No entries in jsonl match --min-ms 1000000.0.\n"),
        ("--offset 9", "There are no entries in jsonl beyond the first 9.\n"),
        ("--tool add --offset 9", "No entries in jsonl match --tool add beyond the first 9.\n"),
        (
            "--slowest 3 --level DEBUG --type framework",
            "No entries with a duration in jsonl match --level DEBUG --type framework.\n",
        ),
        ("--slowest 3 --offset 9", "There are no entries with a duration in jsonl beyond the first 9.\n"),
    ],
)
def test_an_empty_result_names_the_filters_and_what_there_is(
    recorded: object, arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said on stderr; stdout is empty, and the exit code is 0."""
    assert main(["logs", *arguments.split()]) == 0
    assert capsys.readouterr() == ("", message)


@pytest.mark.parametrize(("action", "what"), [("list", "entries"), ("stats", "calls")])
def test_an_empty_store_is_called_empty(
    own_logging: object, action: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without filters."""
    assert main(["logs", action]) == 0
    assert capsys.readouterr() == ("", f"There are no {what} in jsonl.\n")


def test_many_names_are_cut_short(record: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    """Foreign names are escaped."""
    record(make_call("\x1b[2J"), *[make_call(f"tool-{number:02}") for number in range(30)])
    assert main(["logs", "--tool", "x"]) == 0
    err = capsys.readouterr().err
    assert err.endswith("tool-18, \u2026.\n")
    assert "\\x1b[2J" in err


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--tool", "No calls are recorded."),
        ("--client", "No recorded call has a client."),
        ("--principal", "No recorded call has a principal."),
        ("--error-type", "No recorded call has an error type."),
    ],
)
def test_without_any_call_there_are_no_names(
    own_logging: object, option: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sentence says so."""
    assert main(["logs", option, "x"]) == 0
    assert capsys.readouterr().err == f"No entries in jsonl match {option} x. {sentence}\n"


def test_a_class_without_its_module_is_suggested_with_it(
    record: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The list on a terminal shows it without."""
    record(make_failure(error_type="weather.errors.NotFound"))
    assert main(["logs", "--error-type", "NotFound"]) == 0
    assert capsys.readouterr().err.endswith("; did you mean weather.errors.NotFound?\n")
