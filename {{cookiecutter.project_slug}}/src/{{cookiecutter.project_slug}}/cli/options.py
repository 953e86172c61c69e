"""The words of the command line: settings in any place, a verb, and what belongs to the verb."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..choices import COMMAND, OPTIONAL_VERBS
from ..config import ServerConfig, is_secret
from ..logging.errors import SettingError
from ..logging.printable import readable
from .logs_options import USAGE as LOGS_USAGE
from .logs_options import add_logs_options, read_action
from .overview import VERBS, overview
from .suggestions import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

ALIASES = {"config_file": ["--config"], "http_host": ["--host"], "http_port": ["--port"]}
"""Shorter names for options."""
USAGES = {"serve": "[OPTIONS]", "logs": LOGS_USAGE, "call": "TOOL [JSON | KEY=VALUE ...]", "doctor": "[OPTIONS]"}
"""What may follow each verb."""
DESCRIPTIONS = {
    "call": """Call one tool in this process, record the call, and print the result. The arguments
are a JSON object, or key=value pairs that are converted to the tool's types:

  call add a=1 b=2
  call add '{"a": 1, "b": 2}'""",
}
"""What the help says beyond the meaning of the verb."""
SETTINGS_TEXT = """Each setting is an option of every verb and an environment variable: --log-level
is LOG_LEVEL. docs/configuration.md describes them, and the configuration file."""
SEE_SETTINGS = "The settings of the server are options, too: --help-settings lists them."
ARGPARSE_SENTENCES = {"expected": "needs a value", "ignored": "takes no value"}
"""What to say instead of argparse's sentences, by their first word."""


def parse(words: Sequence[str]) -> tuple[argparse.Namespace, dict[str, Any]]:
    """Return the options of the verb, and the settings given as options; raise SettingError if they are invalid.

    Print a help text or the version if that is asked for, and raise SystemExit.
    """
    words, literal = _split_at_dashes(list(words))
    settings, rest = _parse_known(_settings_parser(), words)
    verb, rest = _verb_of(rest)
    parser = _parser_of(verb)
    options, rest = _parse_known(parser, [readable(word) for word in rest])
    _refuse_unknown(rest, verb, [*_names_of(parser), *_names_of(_settings_parser())])
    options.verb = verb
    _add_arguments(options, [*rest, *map(readable, literal)])
    given = vars(settings)
    if verb in OPTIONAL_VERBS:
        verb_package(verb).take_settings(options, given)
    return options, given


def verb_package(verb: str) -> Any:
    """Return the package of an optional verb."""
    return import_module(f".{verb}", __package__)


def _split_at_dashes(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the words before and after `--`, behind which no word is an option."""
    end = words.index("--") if "--" in words else len(words)
    return words[:end], words[end + 1 :]


def _parse_known(parser: argparse.ArgumentParser, words: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Parse the options that the parser knows; return them and the other words."""
    try:
        return parser.parse_known_args(words)
    except argparse.ArgumentError as error:
        reason = ARGPARSE_SENTENCES.get(error.message.split()[0], error.message)
        msg = f"{error.argument_name}: {reason}"
        raise SettingError(msg) from error


def _verb_of(words: list[str]) -> tuple[str, list[str]]:
    """Return the verb and the words behind it; answer what is asked without a verb."""
    if not words:
        return "serve", []
    first, *rest = words
    if first in VERBS:
        return first, rest
    if first in {"-h", "--help", "--version"}:
        print(__version__ if first == "--version" else overview())
        raise SystemExit(0)
    if not first.startswith("-"):
        msg = f"unknown verb {readable(first)!r}{did_you_mean(first, VERBS) or '.'} The verbs are {', '.join(VERBS)}."
        raise SettingError(msg)
    name = first.partition("=")[0]
    owners = [verb for verb in VERBS if name in _names_of(_parser_of(verb))]
    if owners:
        msg = f"{name} is an option of {owners[0]}; put it behind the verb: {COMMAND} {owners[0]} {name}"
        raise SettingError(msg)
    _refuse_unknown([first], "", _names_of(_settings_parser()))
    return "serve", rest


def _refuse_unknown(words: list[str], verb: str, known: list[str]) -> None:
    """Raise SettingError for the first word that looks like an option."""
    for word in words:
        if word.startswith("-") and word != "-":
            name = readable(word).partition("=")[0]
            command = f"{COMMAND} {verb}".strip()
            near = did_you_mean(name, known) or f"; `{command} --help` lists the options"
            msg = f"unknown option {name!r}{f' of {verb}' if verb else ''}{near}"
            raise SettingError(msg)


def _add_arguments(options: argparse.Namespace, words: list[str]) -> None:
    """Store the verb's positional arguments; raise SettingError for a verb that takes none."""
    if options.verb == "logs":
        read_action(options, words)
    elif options.verb == "call":
        if not words:
            msg = f"call needs the name of a tool: {COMMAND} call TOOL [JSON | KEY=VALUE ...]"
            raise SettingError(msg)
        options.tool, options.arguments = words[0], words[1:]
    elif words:
        msg = f"{options.verb} takes no arguments, so {words[0]!r} is unknown"
        raise SettingError(msg)


def _parser_of(verb: str) -> argparse.ArgumentParser:
    if verb in OPTIONAL_VERBS:
        package = verb_package(verb)
        parser = _new_parser(
            f"{COMMAND} {verb}", usage=package.USAGE, description=package.DESCRIPTION, epilog=SEE_SETTINGS
        )
        package.add_options(parser)
        return parser
    meaning = VERBS[verb]
    description = DESCRIPTIONS.get(verb, f"{meaning[0].upper()}{meaning[1:]}.")
    parser = _new_parser(f"{COMMAND} {verb}", usage=USAGES[verb], description=description, epilog=SEE_SETTINGS)
    if verb == "logs":
        add_logs_options(parser)
    return parser


def _settings_parser() -> argparse.ArgumentParser:
    parser = _new_parser(
        COMMAND,
        usage="[VERB] [SETTINGS]",
        description=SETTINGS_TEXT,
        add_help=False,
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--help-settings", action="help", help=argparse.SUPPRESS)
    group = parser.add_argument_group("settings")
    for name, field in ServerConfig.model_fields.items():
        names = [f"--{name.replace('_', '-')}", *ALIASES.get(name, [])]
        text = (field.description or "").replace("%", "%%")
        if is_secret(name):
            text += " Prefer the environment: other users can see the options of a process."
        if field.annotation is bool:
            group.add_argument(
                *names, dest=name, type=_switch, nargs="?", const="true", metavar="true|false", help=text
            )
        else:
            group.add_argument(*names, dest=name, metavar=name.rpartition("_")[2].upper(), help=text)
    return parser


def _new_parser(prog: str, *, usage: str, **options: Any) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=prog,
        usage=f"{prog} {usage}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        exit_on_error=False,
        **options,
    )


def _names_of(parser: argparse.ArgumentParser) -> list[str]:
    return [name for action in parser._actions for name in action.option_strings]  # noqa: SLF001 - no public way


def _switch(text: str) -> str:
    if text in VERBS:
        msg = f"{text!r} is read as its value: put the verb first, or `true` in between"
        raise argparse.ArgumentTypeError(msg)
    return text
