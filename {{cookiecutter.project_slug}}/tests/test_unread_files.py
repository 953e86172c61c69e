"""Configuration files that cannot be read: they are reported, and tools run without their settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from helpers import program_path
from other_users import bound_by_permissions

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.config import load_config

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    Run = Callable[..., subprocess.CompletedProcess[str]]

NOT_USED = "settings from there are not used"


def test_a_dotenv_file_in_another_encoding_is_not_used() -> None:
    """Other programs write it, too; the sentence names the line."""
    Path(".env").write_bytes(b"LOG_FORMAT=json\n# caf\xe9\n")
    config = load_config()
    assert (config.log_format, config.unknown_keys) == ("text", [])
    assert config.unread_files == [f".env cannot be read (line 2 is not UTF-8): {NOT_USED}"]


@pytest.mark.parametrize("name", [".env", "config.yaml"])
def test_a_file_that_links_to_itself_is_not_used(name: str) -> None:
    """It cannot even be looked at."""
    Path(name).symlink_to(name)
    (sentence,) = load_config().unread_files
    assert sentence.startswith(f"{name} cannot be read (")


@pytest.mark.parametrize("name", [".env", "config.yaml"])
def test_a_missing_file_a_dangling_link_and_a_folder_are_no_problem(
    own_logging: object, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`doctor` mentions the folder: a container creates one if the file to mount does not exist."""
    assert load_config().unread_files == []
    Path(name).symlink_to("nowhere")
    assert load_config().unread_files == []
    Path(name).unlink()
    Path(name).mkdir()
    assert load_config().unread_files == []
    assert main(["doctor"]) == 0
    assert f"no {name}, which is a folder" in capsys.readouterr().out


def test_a_file_that_was_named_must_be_readable(isolated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Otherwise, the server would start with other settings than the ones asked for."""
    assert main(["doctor", "--config", str(isolated)]) == 2
    assert f"{isolated} cannot be read: " in capsys.readouterr().err


def test_every_verb_reports_a_file_that_cannot_be_read(
    own_logging: object, serve_arguments: list[str], run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """`logs` lists the entries and `call` runs the tool, but `doctor` fails."""
    Path(".env").write_bytes(b"LOG_FORMAT=\xff\n")
    sentence = f".env cannot be read (line 1 is not UTF-8): {NOT_USED}\n"
    done = run(*serve_arguments, "call", "say", "text=hi")
    assert (done.returncode, done.stdout) == (0, "hi\n")
    assert done.stderr.count(sentence) == 1
    assert main(["logs", "--tool", "say", "--status", "success"]) == 0
    out, err = capsys.readouterr()
    assert (out.count(" say "), err) == (1, sentence)
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert f"FAIL  configuration: {sentence}" in out
    assert "ok    configuration: no readable .env and no config.yaml in " in out


@pytest.mark.parametrize("name", [".env", "config.yaml"])
def test_tools_run_without_a_file_that_this_user_may_not_read(
    own_logging: Callable[[], list[dict[str, object]]], serve_arguments: list[str], run: Run, name: str
) -> None:
    """The call is recorded as usual."""
    Path(name).touch(mode=0)
    done = run(*bound_by_permissions(), *serve_arguments, "call", "say", "text=hi")
    assert (done.returncode, done.stdout) == (0, "hi\n")
    assert done.stderr.count(f"{name} cannot be read (Permission denied): {NOT_USED}\n") == 1
    assert [entry["message"] for entry in own_logging() if entry["tool_name"] and entry["status"]] != []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [("locked", f".env and config.yaml cannot be read (Permission denied): {NOT_USED}\n"), ("removed", "")],
)
def test_tools_run_in_a_folder_that_is_locked_or_removed(
    own_logging: object, serve_arguments: list[str], run: Run, tmp_path: Path, change: str, sentence: str
) -> None:
    """The working folder of a server is often the one its client was started in. `doctor` runs there, too."""
    for words, code in ((["call", "say", "text=hi"], 0), (["doctor"], 1 if sentence else 0)):
        folder = tmp_path / f"folder of {words[0]}"
        folder.mkdir()
        command = [sys.executable, *bound_by_permissions(), *serve_arguments, *words]
        done = run(program_path("run_in_folder"), str(folder), change, *command)
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
        assert sentence in done.stdout + done.stderr
        assert folder.exists() == (change == "locked")
