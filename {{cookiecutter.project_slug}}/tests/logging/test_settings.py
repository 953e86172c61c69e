"""Settings of the logging stack."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from {{cookiecutter.project_slug}}.logging.errors import PathError, SettingError
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


@pytest.mark.parametrize(
    ("path", "reason"),
    [("~/a", "this user has no home folder"), ("~no-such-user/a", "there is no user 'no-such-user'")],
)
def test_a_path_in_a_missing_home_leads_nowhere(path: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence contains the setting, its value, the reason and what to do."""
    monkeypatch.setattr("os.path.expanduser", str)  # as it does for a user without a home folder
    with pytest.raises(PathError) as raised:
        full_path(path, setting="EXAMPLE_PATH")
    assert str(raised.value) == f"EXAMPLE_PATH is '{path}', but {reason}: use the full path of a file"


def test_a_relative_path_in_a_removed_working_folder_leads_nowhere(isolated: Path) -> None:
    """A full path does not need the working folder."""
    isolated.rmdir()
    with pytest.raises(PathError, match=r"^EXAMPLE_PATH is 'a', but the working folder does not exist: use the full"):
        full_path("a", setting="EXAMPLE_PATH")
    assert full_path("/a", setting="EXAMPLE_PATH") == Path("/a")


def test_a_path_with_a_nul_is_malformed() -> None:
    """No file has such a path; a file of settings can contain it."""
    with pytest.raises(SettingError, match=r"^EXAMPLE_PATH is 'a\\x00b', but the path of a file ") as raised:
        full_path("a\0b", setting="EXAMPLE_PATH")
    assert not isinstance(raised.value, PathError)


def test_an_attempt_ends_itself_before_the_write_timeout() -> None:
    """So that the destination can report the reason."""
    settings = LogSettings(log_write_timeout_ms=1_000)
    assert settings.attempt_timeout == 0.8
