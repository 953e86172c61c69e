"""The filter line of the page: the words of the terminal, such as `tool:echo status:error since:2h timeout`."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ...logging.errors import SettingError
from ..logs_options import FILTER_FLAGS, add_logs_options
from ..reading import filters_of
from ..suggestions import did_you_mean
from ..times import Clock

if TYPE_CHECKING:
    from collections.abc import Iterable

ID = "id"
"""The word for how an entry id or correlation id begins or ends."""
ANY_TYPE = "any"
"""The value of `type` that shows log lines beside calls."""
CALLS = "tool_execution"
_FLAGS = {flag.removeprefix("--"): flag for flag in FILTER_FLAGS.values()}
TEXT = "text"
"""The word for free text, which needs none."""
WORDS = (*_FLAGS, ID)
"""The words that may be written before a colon."""
_TOKEN = re.compile(r"""(?:(?P<word>[A-Za-z-]+):)?(?:"(?P<quoted>(?:[^"\\]|\\.)*)"?|(?P<plain>[^\s"]\S*))""", re.DOTALL)
_WORD_ALONE = re.compile(r"([a-z-]+):")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_NOT_ONLY_CALLS = {"type", "method", "level", "correlation-id", ID}
"""Words after which the page shows everything that matches, not only calls of tools."""
_NOT_OF_CALLS = {"started", "unknown_target"}
"""Values of `status` that no call of a tool has."""


@dataclass(frozen=True, slots=True)
class Token:
    """A part of the line: a value with its word, or free text."""

    word: str
    value: str


def filters_of_line(line: str) -> dict[str, Any]:
    """Return the filters of a line for `LogDestination.query`; raise SettingError that names the word and its value."""
    values = _values(_tokens(line))
    only_calls = not values.keys() & _NOT_ONLY_CALLS and values.get("status") not in _NOT_OF_CALLS
    any_id = values.pop(ID, None)
    if values.get("type") == ANY_TYPE:
        del values["type"]
    filters = filters_of(_parsed(values))
    if any_id is not None:
        filters["any_id"] = any_id
    if only_calls:
        filters["log_type"] = CALLS
    return filters


def _values(tokens: Iterable[Token]) -> dict[str, str]:
    """Return the value of each word; raise SettingError if a word has two. Texts become one."""
    values, texts = dict[str, str](), list[str]()
    for token in tokens:
        if token.word == TEXT:
            texts.append(token.value)
            continue
        if values.setdefault(token.word, token.value) != token.value:
            msg = f"{token.word} has two values, {values[token.word]!r} and {token.value!r}; only one can match"
            raise SettingError(msg)
    if text := " ".join(texts):
        values[TEXT] = text
    return values


def _tokens(line: str) -> list[Token]:
    """Split a line; a word that is not ours belongs to the text, such as that of `https://host`."""
    tokens = []
    for match in _TOKEN.finditer(line):
        word, quoted = match["word"] or TEXT, match["quoted"]
        value = match["plain"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if word.lower() in WORDS:
            _refuse_without_value(value)
            tokens.append(Token(word.lower(), value))
        else:
            _refuse_misspelt(word, value)
            tokens.append(Token(TEXT, match[0]))
    return tokens


def _refuse_without_value(value: str) -> None:
    """Refuse a word of ours without a value, which is read as text: a space may follow the colon."""
    alone = _WORD_ALONE.fullmatch(value)
    if alone and alone[1] in WORDS:
        msg = f"{value} needs a value, without a space before it"
        raise SettingError(msg)


def _refuse_misspelt(word: str, value: str) -> None:
    near = did_you_mean(word, WORDS) if len(word) > 1 else ""
    if near:
        msg = f'unknown word {word!r}{near} To search for it as text, write it in quotes: "{word}:{value}".'
        raise SettingError(msg)


def _parsed(values: dict[str, str]) -> argparse.Namespace:
    """Return the values as the options of `logs` have them; naive times are local, as on the terminal."""
    words = [f"{_FLAGS[word]}={value}" for word, value in values.items()]
    try:
        options = _parser().parse_args(words)
    except argparse.ArgumentError as error:
        msg = f"{(error.argument_name or '').removeprefix('--')}: {error.message}"
        raise SettingError(msg) from error
    clock = Clock()
    for name in ("since", "until"):
        moment = getattr(options, name)
        if moment is not None and moment.tzinfo is None:
            setattr(options, name, clock.aware(moment))
    return options


@cache
def _parser() -> argparse.ArgumentParser:
    """Return the parser of the options of `logs`; to build it takes longer than most queries."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    add_logs_options(parser)
    return parser
