"""The words of the command line."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from {{cookiecutter.project_slug}} import __version__
from {{cookiecutter.project_slug}}.choices import COMMAND
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.options import parse
from {{cookiecutter.project_slug}}.cli.overview import OPTIONS, VERBS, overview
from {{cookiecutter.project_slug}}.config import ServerConfig, load_config

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = {"call": ["call", "echo"]}
"""The shortest valid command of each verb that needs more than its name."""
SETTINGS = [f"--{name.replace('_', '-')}" for name in ServerConfig.model_fields]


@pytest.fixture
def help_of(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that returns what the command prints for these words."""

    def printed(*words: str) -> str:
        with pytest.raises(SystemExit, match="0"):
            main([*words])
        return capsys.readouterr().out

    return printed


@pytest.mark.parametrize("words", [["--help-settings"], ["logs", "--help-settings"], ["--help-settings", "doctor"]])
def test_help_settings_lists_every_setting(help_of: Callable[..., str], words: list[str]) -> None:
    """It does so in any place."""
    out = help_of(*words)
    assert [option for option in SETTINGS if f"\n  {option} " not in out] == []


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_shows_its_own_options(help_of: Callable[..., str], verb: str) -> None:
    """It shows no settings, but says where they are."""
    out = help_of(verb, "--help")
    assert out.startswith(f"usage: {COMMAND} {verb} ")
    assert [option for option in SETTINGS if f"\n  {option} " in out] == []
    assert "--help-settings" in out


def test_help_and_version_may_follow_a_setting(help_of: Callable[..., str]) -> None:
    """Then they say the same as alone."""
    assert help_of("--log-level", "DEBUG", "--help") == f"{overview()}\n"
    assert help_of("--log-level", "DEBUG", "--version") == f"{__version__}\n"


def test_the_overview_names_only_options_that_exist() -> None:
    """Each is a setting, an alias, or answers itself."""
    for name in OPTIONS:
        option = name.split()[-1 if name.startswith("-h") else 0]
        if option not in {"--help", "--help-settings", "--version"}:
            assert parse([option, "x"])[1]


@pytest.mark.parametrize("verb", VERBS)
def test_settings_may_be_given_before_and_after_the_verb(verb: str) -> None:
    """The position makes no difference."""
    settings = ["--config", "a.yaml", "--log-level=DEBUG", "--enable-production-logging", "true"]
    words = WORDS.get(verb, [verb])
    assert parse([*settings, *words]) == parse([*words, *settings]) == parse([*settings[:2], *words, *settings[2:]])
    assert sorted(parse([*settings, *words])[1].values()) == ["DEBUG", "a.yaml", "true"]


def test_without_a_verb_the_command_serves() -> None:
    """Settings are no verb."""
    assert parse([])[0] == parse(["--port", "81"])[0] == parse(["serve"])[0]


def test_host_and_port_are_short_for_http_host_and_http_port() -> None:
    """A boolean option without a value means true."""
    _, given = parse(["--host", "::1", "--port", "81", "--enable-production-logging"])
    config = load_config(**given)
    assert (config.http_host, config.http_port, config.enable_production_logging) == ("::1", 81, True)


def test_call_passes_on_a_tool_and_its_arguments() -> None:
    """No word behind `--` is an option."""
    options, settings = parse(["call", "add", "--log-level", "DEBUG", "a=-1", "--", "--b=2"])
    assert (options.verb, options.tool, options.arguments) == ("call", "add", ["a=-1", "--b=2"])
    assert settings == {"log_level": "DEBUG"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("foo", f"unknown verb 'foo'. The verbs are {', '.join(VERBS)}."),
        ("log", "unknown verb 'log'; did you mean logs? The verbs are "),
        ("serve now", "serve takes no arguments, so 'now' is unknown"),
        ("call", "call needs the name of a tool"),
        ("call add -x", "unknown option '-x' of call; `"),
        ("--log-levle DEBUG", "unknown option '--log-levle'; did you mean --log-level?"),
        ("--tool add logs", f"--tool is an option of logs; put it behind the verb: {COMMAND} logs --tool"),
        ("--log-level", "--log-level: needs a value"),
        ("--enable-local-logging logs", "--enable-local-logging: 'logs' is read as its value: put the verb first"),
        ("logs foo", "unknown action 'foo' of logs. The actions are list, show, stats, resend."),
        ("logs stat", "unknown action 'stat' of logs; did you mean stats? The actions are "),
        ("logs last", "unknown action 'last' of logs; did you mean logs show last? The actions are "),
        ("logs last-error", "unknown action 'last-error' of logs; did you mean logs show last-error? The actions"),
        ("logs stats foo", "logs stats takes no arguments, so 'foo' is unknown"),
        ("logs show a b", "logs show takes one id, so 'b' is unknown"),
        ("logs --clientx", "unknown option '--clientx' of logs; did you mean --client?"),
        ("logs --clientx=x", "unknown option '--clientx' of logs; did you mean --client?"),
        ("logs --clientx x", "unknown option '--clientx' of logs; did you mean --client?"),
        ("logs --cor x", "unknown option '--cor' of logs; did you mean --correlation-id?"),
        ("logs --frobnicate", f"unknown option '--frobnicate' of logs; `{COMMAND} logs --help` lists the options"),
        ("logs --tool", "--tool: needs a value"),
        ("logs --json=x", "--json: takes no value"),
        ("logs --limit=0", "--limit: must be between 1 and 10000, not '0'"),
        ("logs --offset -1", "--offset: must be between 0 and "),
        ("logs --min-ms=-1", "--min-ms: must be a number of milliseconds, 0 or more, not '-1'"),
        ("logs --min-ms=nan", "--min-ms: must be a number of milliseconds"),
        ("logs --since=yesterday", "--since: 'yesterday' is neither ISO 8601"),
        ("logs --status=fine", "--status: must be one of success, error, "),
        (
            "logs --status=err",
            "error, cancelled, validation_error, unknown_tool, unknown_target, input_required, started, not 'err'; did",
        ),
        ("logs --level=LOUD", "--level: must be one of TRACE, DEBUG, "),
        ("logs --method=tools", "did you mean tools/call?"),
        ("logs stats --by=colour", "--by: must be one of tool, client, "),
    ],
)
def test_an_unknown_or_invalid_word_is_named_as_what_it_is(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence on stderr, nothing on stdout, and the exit code 2."""
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


ONLY_TOOL_CALLS = "does not work with logs stats: stats count tool calls only"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("list --to=x", "--to works only with logs resend"),
        ("list --by=tool", "--by works only with logs stats"),
        ("show --limit=1", "--limit works only with logs list"),
        ("show --follow", "--follow works only with logs list"),
        ("show --by=tool", "--by works only with logs stats"),
        ("show --to=x", "--to works only with logs resend"),
        ("stats --to=x", "--to works only with logs resend"),
        ("stats --limit=1", "--limit works only with logs list"),
        ("stats --offset=1", "--offset works only with logs list"),
        ("stats --slowest=1", "--slowest works only with logs list"),
        ("stats --follow", "--follow works only with logs list"),
        ("stats --type=internal", f"--type {ONLY_TOOL_CALLS}"),
        ("stats --method=tools/call", f"--method {ONLY_TOOL_CALLS}"),
        ("stats --status=started", f"--status started {ONLY_TOOL_CALLS}"),
        ("resend --limit=50", "--limit works only with logs list"),
        ("resend --offset=0", "--offset works only with logs list"),
        ("resend --follow", "--follow works only with logs list"),
        ("resend --by=tool", "--by works only with logs stats"),
        ("resend --json", "--json does not work with logs resend: it prints no entries"),
        ("list --slowest=2 --limit=3", "--slowest N already sets the number of entries: leave out --limit"),
        ("list --slowest=2 --follow", "--slowest cannot be followed: leave out --follow"),
    ],
)
def test_an_option_without_effect_is_refused(words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence says where the option works, or why it does not."""
    assert main(["logs", *words.split()]) == 2
    assert capsys.readouterr() == ("", f"{sentence}\n")


NOT_UTF_8 = os.fsdecode(b"caf\xe9")
"""How Python passes on bytes that are not UTF-8."""


@pytest.mark.parametrize(
    "words",
    [
        "{}",
        "--{}",
        "serve {}",
        "call {}",
        "logs {}",
        "logs --{}",
        "logs show x {}",
        "logs --level={}",
        "logs --since={}",
        "--log-level={}",
        "--http-port {}",
        "--transport={}",
        "--enable-local-logging={}",
        "--config={}",
    ],
)
def test_bytes_in_any_word_end_in_a_sentence(
    own_logging: object, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, stdout is empty, and stderr can be encoded."""
    assert main(words.format(NOT_UTF_8).split()) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "caf\ufffd" in err.lower() or "caf\\udce9" in err
    assert err.encode()


@pytest.mark.parametrize("words", [["{}"], ["call", "{}"], ["--{}"], ["logs", "show", "{}"], ["logs", "--limit={}"]])
def test_a_long_word_is_shown_in_part(
    own_logging: object, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest of the sentence can be seen."""
    assert main([word.format("1" * 100_000) for word in words]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), len(err) < 1_200) == ("", 1, True)
    assert "1111\u20261111" in err
