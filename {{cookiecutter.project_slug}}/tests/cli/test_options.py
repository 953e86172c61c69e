"""The options of the command."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from {{cookiecutter.project_slug}} import __version__
from {{cookiecutter.project_slug}}.choices import COMMAND
from {{cookiecutter.project_slug}}.cli import main
from {{cookiecutter.project_slug}}.cli.options import VERBS, moment, parse
from {{cookiecutter.project_slug}}.config import ServerConfig, load_config


def test_help_lists_every_verb_and_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """The usage begins with the name of the command."""
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    out = capsys.readouterr().out
    options = [f"--{name.replace('_', '-')}" for name in ServerConfig.model_fields]
    assert [text for text in (f"usage: {COMMAND} ", *VERBS, *options) if text not in out] == []


def test_version_prints_the_version_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing else is printed."""
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"{__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_settings_may_be_given_before_and_after_the_verb(verb: str) -> None:
    """The position makes no difference."""
    settings = ["--config", "a.yaml", "--log-level=DEBUG", "--enable-production-logging", "true"]
    assert parse([*settings, verb]) == parse([verb, *settings]) == parse([*settings[:2], verb, *settings[2:]])
    assert sorted(parse([*settings, verb])[1].values()) == ["DEBUG", "a.yaml", "true"]


def test_host_and_port_are_short_for_http_host_and_http_port() -> None:
    """A boolean option without a value means true."""
    _, given = parse(["--host", "::1", "--port", "81", "--enable-production-logging"])
    config = load_config(**given)
    assert (config.http_host, config.http_port, config.enable_production_logging) == ("::1", 81, True)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("2h", 7_200), ("7d", 604_800)])
def test_a_time_may_be_an_age(text: str, seconds: int) -> None:
    """It counts back from now."""
    assert abs((datetime.now(UTC) - moment(text)).total_seconds() - seconds) < 5


def test_a_time_may_be_iso_8601() -> None:
    """Without a zone it is UTC."""
    assert moment("2026-01-31T10:00") == moment("2026-01-31T12:00:00+02:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--limit=0", "--limit: must be between 1 and 10000, not '0'"),
        ("--since=yesterday", "'yesterday' is neither ISO 8601"),
        ("--since=9999999d", "outside the years"),
        ("--since=0001-01-01T00:00+01:00", "outside the years"),
        ("--status=fine", "'fine'"),
        ("--level=LOUD", "'LOUD'"),
        ("frob", "frob"),
        ("--enable-local-logging=logs", "put the verb first"),
    ],
)
def test_an_invalid_option_is_reported_in_the_last_line(
    recorded: object, arguments: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 2, and nothing is printed to stdout."""
    with pytest.raises(SystemExit, match="2"):
        main(["logs", *arguments.split()])
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("action", "option"),
    [
        ("list", "--to=x"),
        ("stats", "--to=x"),
        ("stats", "--type=internal"),
        ("stats", "--limit=1"),
        ("stats", "--offset=1"),
        ("stats", "--follow"),
        ("resend", "--limit=50"),
        ("resend", "--offset=0"),
        ("resend", "--follow"),
        ("resend", "--json"),
    ],
)
def test_an_option_without_effect_is_refused(
    recorded: object, action: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the action and the option, and gives the reason."""
    assert main(["logs", action, option]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"logs {action} does not support {option.partition('=')[0]}: it s")
