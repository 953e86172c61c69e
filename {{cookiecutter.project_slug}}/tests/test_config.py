"""Where settings come from, which wins, and what is said about those that cannot work."""

from __future__ import annotations

import logging
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
import yaml
from helpers import OWN, MemoryDestination, program
from pydantic import ValidationError

from {{cookiecutter.project_slug}}.choices import DEFAULTS
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.options import VERBS, parse
from {{cookiecutter.project_slug}}.config import ServerConfig, destination_of, load_config
from {{cookiecutter.project_slug}}.logging.destinations import LOCAL, PRODUCTION
from {{cookiecutter.project_slug}}.logging.destinations.driver import require_driver
from {{cookiecutter.project_slug}}.logging.errors import MissingDriverError, SettingError
from {{cookiecutter.project_slug}}.logging.factory import create_log_destination
from {{cookiecutter.project_slug}}.logging.query import LogQuery

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

PROJECT = Path(__file__).parents[1]
FIELDS = [name for name in ServerConfig.model_fields if name != "config_file"]
LISTS = [name for name in FIELDS if ServerConfig.model_fields[name].annotation == list[str]]
SAMPLES = ["true", "false", "21", "22", "201", "202", "1000001", "1000002", "/alpha", "/beta", "alpha", "beta",
           "https://alpha.example:1", "https://beta.example:2", "alpha:1", "beta:2"]  # fmt: skip


def option(name: str) -> str:
    """Return a setting's option."""
    return f"--{name.replace('_', '-')}"


def two_values(name: str) -> list[str]:
    """Return two texts that mean different values of a setting."""
    annotation = ServerConfig.model_fields[name].annotation
    found: list[tuple[object, str]] = []
    for text in [*(str(value) for value in typing.get_args(annotation) if isinstance(value, str)), *SAMPLES]:
        try:
            value = getattr(ServerConfig(**{name: text}), name)
        except ValidationError:
            continue
        if value not in [known for known, _ in found]:
            found.append((value, text))
    return [text for _, text in found[:2]]


@pytest.mark.parametrize("name", FIELDS)
def test_options_win_over_environment_dotenv_yaml_and_answers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting can be given in every place, and each place wins over those below it."""
    first, second = two_values(name)
    wanted = {text: getattr(ServerConfig(**{name: text}), name) for text in (first, second)}
    assert wanted[first] != wanted[second]
    monkeypatch.setitem(DEFAULTS, name, first)
    assert getattr(load_config(), name) == wanted[first]
    Path("config.yaml").write_text(yaml.safe_dump({name: second}))
    assert getattr(load_config(), name) == wanted[second]
    Path(".env").write_text(f"{name.upper()}={first}\n")
    assert getattr(load_config(), name) == wanted[first]
    monkeypatch.setenv(name.upper(), second)
    assert getattr(load_config(), name) == wanted[second]
    _, given = parse([option(name), first])
    assert getattr(load_config(**given), name) == wanted[first]


@pytest.mark.parametrize("name", ServerConfig.model_fields)
def test_every_setting_is_documented(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In the documentation by its variable, in `--help` by its option."""
    pages = "".join(page.read_text("utf-8") for page in (PROJECT / "docs").rglob("*.md"))
    assert f"`{name.upper()}`" in pages
    with pytest.raises(SystemExit):
        parse(["--help"])
    assert option(name) in capsys.readouterr().out


def test_the_configuration_file_is_named_by_option_variable_or_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--config` before CONFIG_FILE before ./config.yaml."""
    for name, level in (("config.yaml", "ERROR"), ("named.yaml", "WARNING"), ("other.yaml", "DEBUG")):
        Path(name).write_text(f"log_level: {level}\nenable_local_logging: true\n")
    assert load_config().log_level == "ERROR"
    monkeypatch.setenv("CONFIG_FILE", "named.yaml")
    assert load_config().log_level == "WARNING"
    assert load_config(**parse(["--config", "other.yaml"])[1]).log_level == "DEBUG"
    assert load_config(**parse(["--config-file", "other.yaml"])[1]).log_level == "DEBUG"


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("text", ["a,b", " a , b ,", '["a", "b"]', "a, b", '"a,b"'])
def test_lists_are_read_from_comma_lists_json_and_yaml(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment gives text, also with quotes around it; YAML may give a list of its own."""
    monkeypatch.setenv(name.upper(), text)
    assert getattr(load_config(), name) == ["a", "b"]
    monkeypatch.delenv(name.upper())
    Path("config.yaml").write_text(f"{name}: [a, b]\n")
    assert getattr(load_config(), name) == ["a", "b"]
    Path("config.yaml").write_text(yaml.safe_dump({name: text}))
    assert getattr(load_config(), name) == ["a", "b"]


def test_variables_in_yaml_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """`${VAR}` and `${VAR:-default}`, in texts and in lists."""
    monkeypatch.setenv("PLACE", "example.org")
    text = 'http_host: "${PLACE}"\nhttp_port: ${PORT_OF_OURS:-81}\nhttp_allowed_hosts: ["a.${PLACE}"]\n'
    Path("config.yaml").write_text(text)
    config = load_config()
    assert (config.http_host, config.http_port, config.http_allowed_hosts) == ("example.org", 81, ["a.example.org"])


BROKEN = {
    "syntax": (b"log_level: INFO\nhttp_host: [a\n", "line 3"), "tab": (b"log_level: INFO\n\thttp_port: 1\n", "line 2"),
    "control": (b"log_level: INFO\r\n\r\nhttp_host: \x07\n", "line 3 is not valid YAML: special characters"),
    "date": (b"log_level: 2026-02-30\n", "YAML: ValueError: day"), "depth": (b"[" * 9_999, "YAML: RecursionError"),
    "circle": (b"log_redact_keys: &all [*all]\n", "a list that contains itself"), "list": (b"- a\n", "contains a list"),
    "text": (b"just text\n", "contains a str"), "bytes": (b"log_level: \xff\xfe\n", "cannot be read"),
    "variable": (b"http_host: ${NOWHERE_TO_BE_FOUND}\n", "${NOWHERE"), ".env": (b"LOG_LEVEL=\xff\n", "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_reported_and_left_alone(case: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence on stderr with the file's name and, where there is one, the line; nothing on stdout."""
    path, (content, said) = Path(".env" if case == ".env" else "config.yaml"), BROKEN[case]
    path.write_bytes(content)
    assert main(["doctor"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert shown.err.startswith(path.name)
    assert said in shown.err
    assert path.read_bytes() == content


def test_a_named_file_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error in its name must not start a server with other settings."""
    assert main(["doctor", "--config", "missing.yaml"]) == 2
    assert "missing.yaml cannot be read" in capsys.readouterr().err


def test_an_unknown_name_in_the_file_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """With the setting that was probably meant."""
    Path("config.yaml").write_text("log_levle: DEBUG\nLOG_FORMAT: json\n")
    with caplog.at_level(logging.WARNING):
        assert load_config().log_format == "json"
    assert "log_levle is not a setting; did you mean log_level?" in caplog.text


@pytest.mark.parametrize(
    ("name", "value", "said"),
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
def test_a_malformed_setting_is_one_sentence(name: str, value: str, said: str, monkeypatch: Any, capsys: Any) -> None:
    """With the setting, its value and what is valid; several problems are several lines; the exit code is 2."""
    monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("LOG_RETENTION_DAYS", "-3")
    assert main([]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert any(line.startswith(said) for line in lines)
    assert any(line.startswith("LOG_RETENTION_DAYS is '-3'") for line in lines)


@pytest.mark.parametrize("name", [*filter(destination_of, FIELDS)])
def test_a_malformed_setting_of_a_destination_stops_only_that_one(name: str, caplog: Any, capsys: Any) -> None:
    """Switched off or beside one that works it is a sentence without secrets; alone it ends the start."""
    owner, said = destination_of(name), f"{name.upper()} is "

    def configure(production: str, *, local: bool = False) -> ServerConfig:
        on = {"enable_local_logging": local, "enable_production_logging": production != ""}
        content = {**on, "log_destination_type": production, name: {"url": "https://me:hidden@host"}}
        Path("config.yaml").write_text(yaml.safe_dump(content))
        return load_config()

    assert create_log_destination(configure("")).destinations == ()
    is_local, production = owner in LOCAL, owner if owner in PRODUCTION else ""
    with pytest.raises(SettingError, match=f"^{said}"):
        create_log_destination(configure(production, local=is_local))
    assert main(["doctor"]) == 1
    beside = create_log_destination(configure(f"{production},{OWN}", local=is_local))
    assert [buffer.name for buffer in beside.destinations] == ["jsonl"]
    *warnings, error = caplog.messages
    assert len(warnings) == len(configure("").problems)  # a text of any form is looked at when it is needed
    assert all(text.startswith(f"{owner} is switched off, but {said}") for text in warnings)
    assert error.startswith(said)
    out = capsys.readouterr().out
    assert f"FAIL  {owner}: {said}" in out
    assert "hidden" not in caplog.text + out


@pytest.mark.parametrize("verb", VERBS)
def test_settings_may_stand_before_the_verb_and_after_it(verb: str) -> None:
    """With the same effect."""
    settings = ["--config", "a.yaml", "--log-level=DEBUG", "--enable-production-logging", "true"]
    assert parse([*settings, verb]) == parse([verb, *settings]) == parse([*settings[:2], verb, *settings[2:]])
    assert sorted(parse([*settings, verb])[1].values()) == ["DEBUG", "a.yaml", "true"]


def test_aliases_and_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--host` and `--port` are options; HOST is not a variable of ours; a switch alone means true; case is free."""
    monkeypatch.setenv("HOST", "x86_64-linux")
    monkeypatch.setenv("LOG_FORMAT", "")
    config = load_config(**parse(["--host", "::1", "--port", "81", "--enable-production-logging"])[1])
    assert (config.http_host, config.http_port, config.enable_production_logging) == ("::1", 81, True)
    assert load_config().http_host == "127.0.0.1"
    assert load_config().log_format == "text"
    monkeypatch.setenv("log_level", " debug ")
    assert load_config().log_level == "DEBUG"


class HomelessDestination(MemoryDestination):
    """A destination with a file in a home that does not exist."""

    @classmethod
    def from_config(cls, _: object) -> Self:
        """Look for the home."""
        Path("~no-such-user").expanduser()
        return cls()


@pytest.mark.parametrize(("kinds", "said"), [
    ("pigeon", "LOG_DESTINATION_TYPE is 'pigeon'; valid are:"), ("", "LOG_DESTINATION_TYPE is ''; valid are:"),
    ("nowhere.module:Class", "LOG_DESTINATION_TYPE is 'nowhere.module:Class', which cannot be loaded: ModuleNot"),
    ("helpers:Missing", "LOG_DESTINATION_TYPE is 'helpers:Missing', which cannot be loaded: AttributeError"),
    ("io:StringIO", "LOG_DESTINATION_TYPE is 'io:StringIO', which makes a StringIO, not a LogDestination"),
    ("homeless", "A file of the homeless destination cannot be found: Could not determine home directory. Use its"),
])  # fmt: skip
def test_a_destination_that_cannot_be_built_is_a_sentence(kinds: str, said: str, monkeypatch: Any, caplog: Any) -> None:
    """Alone it ends the start; beside one that works it is said, and the server starts with what works."""
    monkeypatch.setitem(DEFAULTS, "log_destination_type", "pigeon")
    monkeypatch.setitem(LOCAL, "homeless", HomelessDestination)
    alone = {"enable_local_logging": False, "enable_production_logging": True}
    if kinds or len(PRODUCTION) != 1:
        with pytest.raises(SettingError) as raised:
            create_log_destination(ServerConfig(**alone, log_destination_type=kinds))
        assert str(raised.value).startswith(said)
        assert "\n" not in str(raised.value)
    beside = create_log_destination(ServerConfig(**alone, log_destination_type=f"pigeon, {OWN}, {kinds},{OWN}"))
    assert [buffer.name for buffer in beside.destinations] == ["jsonl"]
    assert (said if kinds else "'pigeon'") in caplog.text


def test_lanes_are_those_that_are_switched_on() -> None:
    """Each once; none delivers nowhere; production is wrapped in retries with the configured numbers."""
    nothing = create_log_destination(ServerConfig(enable_local_logging=False))
    assert nothing.destinations == ()
    config = ServerConfig(
        enable_production_logging=True, log_destination_type=",".join([OWN, *LOCAL]), log_retry_attempts=7,
        log_retry_delay_ms=9, log_write_timeout_ms=11, log_buffer_size=13,
    )  # fmt: skip
    buffers = create_log_destination(config).destinations
    assert [buffer.name for buffer in buffers] == [*LOCAL, "jsonl"]
    wrapper = buffers[-1].destination
    assert (wrapper.max_attempts, wrapper.retry_delay, wrapper.write_timeout) == (7, 0.009, 0.011)
    assert buffers[-1].capacity == 13
    assert not list(Path.cwd().iterdir())


def test_a_missing_driver_is_named_with_the_command_that_installs_it() -> None:
    """With this project's bounds, and never as an extra of this project, which an index may know as another's."""
    for package, installed in (("loguru", r"loguru[<>=\d.,]+"), ("no[such]", r"no\[such\]")):
        with pytest.raises(MissingDriverError, match=f'The x destination needs .*: run pip install "{installed}"$'):
            require_driver("no_driver", name="x", package=package)


@pytest.mark.parametrize("filters", [
    {"limit": 0}, {"limit": True}, {"limit": "5"}, {"offset": -1}, {"since": "today"}, {"colour": "red"},
    {"level": 30}, {"level": ""}, {"level": []}, {"level": ["INFO", None]},
])  # fmt: skip
def test_a_filter_out_of_range_is_refused(filters: dict[str, Any]) -> None:
    """The sentence names the filter and what it takes."""
    with pytest.raises(SettingError, match=next(iter(filters))):
        LogQuery.of(**filters)


IMPORT_ALL = """
import importlib, logging, pkgutil, socket, sys, threading
import PACKAGE
def refuse(*_): raise AssertionError("a socket at import")
socket.socket.connect = socket.socket.bind = refuse
for module in pkgutil.walk_packages(PACKAGE.__path__, "PACKAGE."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from loguru import logger
assert logging.getLogger().handlers == [] and len(logger._core.handlers) == 1
assert threading.active_count() == 1
from PACKAGE.logging.destinations import LOCAL, PRODUCTION
drivers = {name for kind in {**LOCAL, **PRODUCTION}.values() for name in kind.driver_loggers}
assert not {"yaml", *drivers} & sys.modules.keys()
"""


def test_importing_has_no_side_effect(run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path) -> None:
    """No file, handler, thread or socket; no driver before its destination is switched on."""
    result = run(*program(IMPORT_ALL))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []
