"""Settings of the logging stack."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.settings import LogSettings, full_path, split_list


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b", ["a", "b"]),
        (" a , b ,", ["a", "b"]),
        ('["a", "b"]', ["a", "b"]),
        ('"a,b"', ["a", "b"]),
        ("[::1],a", ["[::1]", "a"]),
        ("", []),
    ],
)
def test_a_list_is_split(text: str, expected: list[str]) -> None:
    """Commas and JSON separate items; an IPv6 address in brackets is not JSON."""
    assert split_list(text) == expected


def test_a_broken_json_list_is_reported() -> None:
    """Otherwise its first item would keep the bracket."""
    with pytest.raises(ValidationError, match="is not a valid JSON list"):
        LogSettings(log_redact_keys='["a", b')


def test_a_level_may_be_given_in_any_case() -> None:
    """Spaces around it are removed."""
    assert LogSettings(log_level=" debug ").log_level == "DEBUG"


def test_a_path_is_relative_to_the_working_folder_at_the_start() -> None:
    """A tool may change the working folder later."""
    assert full_path("data/logs", setting="EXAMPLE_PATH") == Path.cwd() / "data/logs"


def test_a_path_in_a_missing_home_is_reported() -> None:
    """The message names the setting and its value."""
    with pytest.raises(SettingError, match=r"^EXAMPLE_PATH is '~no-such-user/a': .* Use the full path of the file"):
        full_path("~no-such-user/a", setting="EXAMPLE_PATH")


def test_an_attempt_ends_itself_before_the_write_timeout() -> None:
    """So that the destination can report the reason."""
    settings = LogSettings(log_write_timeout_ms=1_000)
    assert settings.attempt_timeout == 0.8
