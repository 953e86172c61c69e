"""The configuration: where settings come from, and what is reported about malformed ones."""

from __future__ import annotations

import os
import typing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from fake_destinations import JSON_LINES
from pydantic import ValidationError

from {{cookiecutter.project_slug}}.choices import DEFAULTS
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.options import parse
from {{cookiecutter.project_slug}}.config import ServerConfig, destination_of, load_config
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL, PRODUCTION
from {{cookiecutter.project_slug}}.logging.errors import SettingError
from {{cookiecutter.project_slug}}.logging.factory import create_log_destination

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).parents[1]
FIELDS = [name for name in ServerConfig.model_fields if name != "config_file"]
LISTS = [name for name in FIELDS if ServerConfig.model_fields[name].annotation == list[str]]
DESTINATION_FIELDS = [name for name in FIELDS if destination_of(name)]
SAMPLES = [
    "true",
    "false",
    "21",
    "22",
    "201",
    "202",
    "1000001",
    "1000002",
    "/alpha",
    "/beta",
    "alpha",
    "beta",
    "https://alpha.example:1",
    "https://beta.example:2",
    "tools/call",
    "resources/read",
    "alpha:1",
    "beta:2",
]
"""Texts; at least two are valid for each setting."""


def two_values(name: str) -> list[str]:
    """Return two valid texts with different meanings for a setting."""
    annotation = ServerConfig.model_fields[name].annotation
    choices = [value for value in typing.get_args(annotation) if isinstance(value, str)]
    found: list[tuple[object, str]] = []
    for text in [*choices, *SAMPLES]:
        try:
            value = getattr(ServerConfig(**{name: text}), name)
        except ValidationError:
            continue
        if value not in [known for known, _ in found]:
            found.append((value, text))
    return [text for _, text in found[:2]]


@pytest.mark.parametrize("name", FIELDS)
def test_options_win_over_environment_dotenv_yaml_and_defaults(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting can be given in each place, and each place wins over the following ones."""
    first, second = two_values(name)
    expected = {text: getattr(ServerConfig(**{name: text}), name) for text in (first, second)}
    assert expected[first] != expected[second]
    monkeypatch.setitem(DEFAULTS, name, first)
    assert getattr(load_config(), name) == expected[first]
    Path("config.yaml").write_text(yaml.safe_dump({name: second}))
    assert getattr(load_config(), name) == expected[second]
    Path(".env").write_text(f"{name.upper()}={first}\n")
    assert getattr(load_config(), name) == expected[first]
    monkeypatch.setenv(name.upper(), second)
    assert getattr(load_config(), name) == expected[second]
    _, options = parse([f"--{name.replace('_', '-')}", first])
    assert getattr(load_config(**options), name) == expected[first]


@pytest.mark.parametrize("name", ServerConfig.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    """A page in `docs/` mentions its environment variable."""
    pages = "".join(page.read_text("utf-8") for page in (PROJECT / "docs").rglob("*.md"))
    assert f"`{name.upper()}`" in pages


def test_bytes_that_the_locale_cannot_decode_are_read_as_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise, the keys would match nothing. Bytes that are not UTF-8 are replaced, also in the sentence."""
    monkeypatch.setenv("LOG_REDACT_KEYS", "gr\udcc3\udcb6\udcc3\udc9fe")
    assert load_config().log_redact_keys == ["gr\u00f6\u00dfe"]
    monkeypatch.setenv("LOG_LEVEL", "INFO\udcff")
    with pytest.raises(SettingError, match=r"^LOG_LEVEL is 'INFO\ufffd': Input should be 'TRACE', 'DEBUG', "):
        load_config()


def test_a_path_may_contain_any_bytes() -> None:
    """A file system that allows them knows the file by them."""
    path = Path(os.fsdecode(b"caf\xe9.yaml"))
    path.write_text("log_format: json\n")
    config = load_config(config_file=str(path))
    assert (config.config_file, config.log_format) == (path, "json")


def test_environment_variables_may_be_in_any_case_and_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty variable is ignored; HOST, which compilers' environments set, is not one of the variables."""
    monkeypatch.setenv("HOST", "x86_64-linux")
    monkeypatch.setenv("LOG_FORMAT", "")
    monkeypatch.setenv("log_level", " debug ")
    config = load_config()
    assert (config.http_host, config.log_format, config.log_level) == ("127.0.0.1", "text", "DEBUG")


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("text", ["a,b", " a , b ,", '["a", "b"]', "a, b", '"a,b"'])
def test_a_list_may_be_comma_separated_json_or_yaml(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML may contain the same text as the environment, or a list."""
    monkeypatch.setenv(name.upper(), text)
    assert getattr(load_config(), name) == ["a", "b"]
    monkeypatch.delenv(name.upper())
    Path("config.yaml").write_text(f"{name}: [a, b]\n")
    assert getattr(load_config(), name) == ["a", "b"]
    Path("config.yaml").write_text(yaml.safe_dump({name: text}))
    assert getattr(load_config(), name) == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("log_level", "LOUD", "LOG_LEVEL is 'LOUD': Input should be 'TRACE', 'DEBUG', 'INFO'"),
        ("http_port", "70000", "HTTP_PORT is '70000': it must be a whole number between 0 and 65535"),
        ("http_port", "many", "HTTP_PORT is 'many': it must be a whole number between 0 and 65535"),
        ("http_path", "mcp", "HTTP_PATH is 'mcp': must begin with /"),
        ("transport", "pigeon", "TRANSPORT is 'pigeon': Input should be 'stdio', 'streamable-http' or 'sse'"),
        ("enable_local_logging", "perhaps", "ENABLE_LOCAL_LOGGING is 'perhaps': it must be true or false"),
        ("log_retry_attempts", "0", "LOG_RETRY_ATTEMPTS is '0': it must be a whole number between 1 and 100"),
        ("log_buffer_size", "-1", "LOG_BUFFER_SIZE is '-1'"),
    ],
)
def test_a_malformed_setting_is_one_sentence(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It contains the setting, its value and what is valid; each malformed setting is one line."""
    monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("LOG_RETENTION_DAYS", "-3")
    with pytest.raises(SettingError) as raised:
        load_config()
    lines = str(raised.value).splitlines()
    assert len(lines) == 2
    assert any(line.startswith(message) for line in lines)
    assert any(line.startswith("LOG_RETENTION_DAYS is '-3'") for line in lines)


@pytest.fixture
def configure_malformed(request: pytest.FixtureRequest) -> Callable[..., ServerConfig]:
    """Return a function that loads a configuration in which the setting `name` is malformed and contains a secret."""
    name = request.getfixturevalue("name")

    def configure(production: str = "", *, local: bool = False) -> ServerConfig:
        settings = {
            "enable_local_logging": local,
            "enable_production_logging": production != "",
            "log_destination_type": production,
            name: {"url": "https://me:hidden@host"},
        }
        Path("config.yaml").write_text(yaml.safe_dump(settings))
        return load_config()

    return configure


@pytest.mark.parametrize("name", DESTINATION_FIELDS)
def test_a_malformed_setting_of_a_disabled_destination_is_a_warning(
    name: str, configure_malformed: Callable[..., ServerConfig], caplog: pytest.LogCaptureFixture
) -> None:
    """A setting that accepts any text is not checked before it is used."""
    config = configure_malformed()
    assert create_log_destination(config).destinations == ()
    assert len(caplog.messages) == len(config.problems)
    prefix = f"{destination_of(name)} is switched off, but {name.upper()} is "
    assert all(message.startswith(prefix) for message in caplog.messages)
    assert "hidden" not in caplog.text


@pytest.mark.parametrize("name", DESTINATION_FIELDS)
def test_a_malformed_setting_disables_only_its_destination(
    name: str,
    configure_malformed: Callable[..., ServerConfig],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """If no other destination is enabled, the server does not start, and `doctor` fails."""
    owner = destination_of(name)
    is_local, production = owner in LOCAL, owner if owner in PRODUCTION else ""
    config = configure_malformed(production, local=is_local)
    with pytest.raises(SettingError, match=f"^{name.upper()} is "):
        create_log_destination(config)
    assert main(["doctor"]) == 1
    config = configure_malformed(f"{production},{JSON_LINES}", local=is_local)
    assert [buffer.name for buffer in create_log_destination(config).destinations] == ["jsonl"]
    assert caplog.messages[-1].startswith(f"{name.upper()} is ")
    out = capsys.readouterr().out
    assert f"FAIL  {owner}: {name.upper()} is " in out
    assert "hidden" not in caplog.text + out
