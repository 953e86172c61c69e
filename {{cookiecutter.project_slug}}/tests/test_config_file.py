"""The files with settings: YAML, and `.env`."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.options import parse
from {{cookiecutter.project_slug}}.config import ServerConfig, destination_of, load_config
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL, PRODUCTION


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


def test_a_missing_file_is_an_error_if_it_was_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error in its name must not start the server with other settings."""
    assert main(["doctor", "--config", "missing.yaml"]) == 2
    assert "missing.yaml cannot be read" in capsys.readouterr().err


def test_a_key_of_the_yaml_file_that_is_not_a_setting_is_reported() -> None:
    """The most similar setting is suggested; the other settings, in any case, are used."""
    Path("config.yaml").write_text("log_levle: DEBUG\nLOG_FORMAT: json\nfrob: 1\n")
    config = load_config()
    assert config.log_format == "json"
    assert config.unknown_keys == [
        "config.yaml: log_levle is not a setting; did you mean log_level?",
        "config.yaml: frob is not a setting",
    ]


@pytest.mark.parametrize(
    ("variable", "sentence"),
    [
        ("LOG_LEVLE", "LOG_LEVLE is not a setting; did you mean LOG_LEVEL?"),
        ("log_levle", "LOG_LEVLE is not a setting; did you mean LOG_LEVEL?"),
        ("LOGLEVEL", "LOGLEVEL is not a setting; did you mean LOG_LEVEL?"),
        ("HTTP_PORTS", "HTTP_PORTS is not a setting; did you mean HTTP_PORT?"),
        ("LOG_XYZ", "LOG_XYZ is not a setting"),
    ],
)
def test_a_variable_in_dotenv_that_looks_like_a_setting_is_reported(variable: str, sentence: str) -> None:
    """It is similar to a setting, or begins as only settings do."""
    Path(".env").write_text(f"LOG_FORMAT=json\n{variable}=DEBUG\n")
    config = load_config()
    assert config.log_format == "json"
    assert len(config.unknown_keys) == 1
    assert config.unknown_keys[0].startswith(f".env: {sentence}")


def test_variables_of_the_program_behind_a_destination_are_not_reported() -> None:
    """Its container, which reads the same file, has some that begin like our settings."""
    endings = ("USER", "PASSWORD", "DB", "HEAP_OPTS", "WHEREABOUTS")
    names = [f"{name.upper()}_{ending}" for name in (*LOCAL, *PRODUCTION) for ending in endings]
    settings = " ".join(ServerConfig.model_fields).upper()
    names = [name for name in names if name not in settings]  # not the beginning of a setting
    Path(".env").write_text("".join(f"{name}=x\n" for name in names))
    assert load_config().unknown_keys == []


def test_what_the_hint_of_a_destination_names_is_not_reported() -> None:
    """It may be the name by which a server knows the value of one of our settings."""
    hints = " ".join(destination.fix_hint for destination in (*LOCAL.values(), *PRODUCTION.values()))
    names = [word.strip(",.;()") for word in hints.split() if "_" in word]
    Path(".env").write_text("".join(f"{name}=\n" for name in names))
    assert load_config().unknown_keys == []


def test_a_misspelt_setting_of_a_destination_is_reported() -> None:
    """It is similar to a setting."""
    settings = [name.upper() for name in ServerConfig.model_fields if destination_of(name)]
    Path(".env").write_text("".join(f"{name}X=x\n" for name in settings))
    assert [sentence.split()[1] for sentence in load_config().unknown_keys] == [f"{name}X" for name in settings]


def test_variables_of_other_programs_in_dotenv_are_not_reported() -> None:
    """Compose, shells and other tools use the same file."""
    others = ("HTTP_PROXY", "NO_PROXY", "PATH", "HOST", "PORT", "DATABASE_URL", "OPENAI_API_KEY", "COMPOSE_FILE")
    Path(".env").write_text("".join(f"{name}=x\n" for name in others))
    assert load_config().unknown_keys == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_read_once() -> None:
    """A shell passes `--config <(command)` as one."""
    os.mkfifo("settings")
    writer = threading.Thread(target=Path("settings").write_text, args=("log_format: json\n",))
    writer.start()
    assert load_config(config_file="settings").log_format == "json"
    writer.join()
