"""The YAML file with settings."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.options import parse
from {{cookiecutter.project_slug}}.config import load_config


def test_an_option_names_the_file_before_the_variable_and_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--config` or `--config-file` wins over CONFIG_FILE, which wins over ./config.yaml."""
    for name, level in (("config.yaml", "ERROR"), ("named.yaml", "WARNING"), ("other.yaml", "DEBUG")):
        Path(name).write_text(f"log_level: {level}\nenable_local_logging: true\n")
    assert load_config().log_level == "ERROR"
    monkeypatch.setenv("CONFIG_FILE", "named.yaml")
    assert load_config().log_level == "WARNING"
    assert load_config(**parse(["--config", "other.yaml"])[1]).log_level == "DEBUG"
    assert load_config(**parse(["--config-file", "other.yaml"])[1]).log_level == "DEBUG"


def test_variables_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """`${VAR}` and `${VAR:-default}` work in texts and in lists."""
    monkeypatch.setenv("PLACE", "example.org")
    Path("config.yaml").write_text(
        'http_host: "${PLACE}"\nhttp_port: ${UNSET_PORT:-81}\nhttp_allowed_hosts: ["a.${PLACE}"]\n'
    )
    config = load_config()
    assert (config.http_host, config.http_port, config.http_allowed_hosts) == ("example.org", 81, ["a.example.org"])


BROKEN = {
    "unclosed list": (b"log_level: INFO\nhttp_host: [a\n", "line 3"),
    "tab": (b"log_level: INFO\n\thttp_port: 1\n", "line 2"),
    "control character": (
        b"log_level: INFO\r\n\r\nhttp_host: \x07\n",
        "line 3 is not valid YAML: special characters",
    ),
    "impossible date": (b"log_level: 2026-02-30\n", "YAML: ValueError: day"),
    "deep nesting": (b"[" * 9_999, "YAML: RecursionError"),
    "circular list": (b"log_redact_keys: &all [*all]\n", "a list that contains itself"),
    "list": (b"- a\n", "contains a list"),
    "text": (b"just text\n", "contains a str"),
    "invalid UTF-8": (b"log_level: \xff\xfe\n", "cannot be read"),
    "unset variable": (b"http_host: ${NOWHERE_TO_BE_FOUND}\n", "${NOWHERE"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_reported_and_not_changed(
    content: bytes, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence on stderr contains the name of the file and, if it is known, the line; the exit code is 2."""
    Path("config.yaml").write_bytes(content)
    assert main(["doctor"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("config.yaml")
    assert message in err
    assert Path("config.yaml").read_bytes() == content


def test_a_broken_dotenv_file_is_reported_and_not_changed(capsys: pytest.CaptureFixture[str]) -> None:
    """The same holds for `.env`."""
    Path(".env").write_bytes(b"LOG_LEVEL=\xff\n")
    assert main(["doctor"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(".env cannot be read")
    assert Path(".env").read_bytes() == b"LOG_LEVEL=\xff\n"


def test_a_missing_file_is_an_error_if_it_was_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error in its name must not start the server with other settings."""
    assert main(["doctor", "--config", "missing.yaml"]) == 2
    assert "missing.yaml cannot be read" in capsys.readouterr().err


def test_an_unknown_setting_is_a_warning_with_a_suggestion(caplog: pytest.LogCaptureFixture) -> None:
    """The other settings, in any case, are used."""
    Path("config.yaml").write_text("log_levle: DEBUG\nLOG_FORMAT: json\n")
    with caplog.at_level(logging.WARNING):
        assert load_config().log_format == "json"
    assert "log_levle is not a setting; did you mean log_level?" in caplog.text
