"""Redact the values of secret keys in text: headers and `key: value` pairs."""

import re

from . import grammar
from .expressions import is_expression, is_type, name_at, takes_a_name
from .keys import Judge
from .prose import SHORT_NUMBER, is_prose
from .values import REDACTED, is_folder, is_harmless, looks_random

Redacted = tuple[str, int]
"""What to show instead of a value, and the end of the value."""

_LOOKAHEAD = 120
"""Characters after a key that show whether they are prose."""
_DEEPEST = 200
"""Characters of the deepest indentation."""
_PASSPHRASE_KEY = re.compile("pass|pwd|secret|phrase|mnemonic|recovery", re.IGNORECASE)
_NUMERIC_KEY = re.compile("pin|otp|cvv|cvc|code", re.IGNORECASE)
_UNEXPECTED = re.compile(
    r"(?:bad|duplicate|expected|illegal|invalid|last|missing|next|syntax|this|unexpected|unknown|unrecognized)\s$",
    re.IGNORECASE,
)
"""What precedes the word token where a parser reports one: `unexpected token: 'foo'`."""
_NAME_SPACE = re.compile(r"\b[au]rn:[\w:/-]*$")
"""What precedes a key in the name of a resource: arn:aws:secretsmanager:eu-west-1:1:secret:name."""
_WORD_OR_PAIR = re.compile(r"(?:-[ \t]|[\w.-]++: (?=[^\s\\]*\d))[^\s\\]++\s*+(?:\\|\Z)")
"""A list item or a pair in a line below a sentence: `- word`, `name: word2`."""
_SPACE = re.compile(r"\s*+")


class Pairs:
    """Redact the values of secret keys in text."""

    def __init__(self, is_secret: Judge, is_perhaps_secret: Judge) -> None:
        self._is_secret = is_secret
        self._is_perhaps_secret = is_perhaps_secret

    def redact_headers(self, text: str) -> str:
        """Redact the values of HTTP headers with credentials, up to the end of the line."""
        lower = text.lower()
        if "authorization" not in lower and "cookie" not in lower:
            return text
        return grammar.HEADER.sub(self._redact_header, text)

    def redact(self, text: str) -> str:
        """Redact the values of secret keys; search the values of other keys like the rest of the text."""
        parts, done, position = list[str](), 0, 0
        while (key := grammar.KEY.search(text, position)) is not None:
            position = key.end()
            if (value := self._redact_value(key)) is not None:
                shown, end = value
                parts += (text[done:position], shown)
                done = position = end
        return "".join((*parts, text[done:]))

    def _redact_header(self, match: re.Match[str]) -> str:
        value, start = match["value"], match.start("value")
        is_sentence = is_prose(value) and len(value.split(maxsplit=2)) != 2  # noqa: PLR2004 - `token abc` is none
        if not self._is_secret(match["key"]) or is_harmless(value) or is_sentence or self._is_code(match, start):
            return match[0]
        return f"{match['name']}{REDACTED}"

    def _redact_value(self, key: re.Match[str]) -> Redacted | None:
        """Return what to show instead of the value after a key; None if the value is to be shown."""
        text, name, before = key.string, key["key"], key.start() - 1
        is_secret = self._is_secret(name)
        if not is_secret and before >= 0 and text[before] == "\\" and name[0] in "nrt":  # an escaped line end
            is_secret = self._is_secret(name[1:])
        if not is_secret:
            return _redact_random(key) if self._is_perhaps_secret(name) else None
        if key[0].startswith("PASS:"):  # a test runner's verdict
            return None
        if name.lower() == "token" and _UNEXPECTED.search(text, max(before - 16, 0), before + 1):
            return None
        if (
            key["colon"]
            and text[before : before + 1] == ":"
            and _NAME_SPACE.search(text, max(before - _LOOKAHEAD, 0), before)
        ):
            return None
        return self._redact_quoted(key, _end(_SPACE, text, key.end()) if key["quote"] else key.end())

    def _redact_quoted(self, key: re.Match[str], start: int) -> Redacted | None:
        text, before = key.string, key.string[key.start() - 1 : key.start()]
        if before and before in "\"'`" and not key["quote"] and text.startswith(before, start):
            return None  # the end of a text: 'Password: '
        if (value := grammar.QUOTED.match(text, start)) is None:
            return self._redact_brackets(key, start)
        quote = value["escaped"] or value["quote"]
        if is_harmless(value[0].lstrip("bBfFrRuUL@")) or is_folder(key["key"], value[0]):
            return text[key.end() : value.end()], value.end()
        return f"{text[key.end() : start]}{quote}{REDACTED}{quote}", value.end()

    def _redact_brackets(self, key: re.Match[str], start: int) -> Redacted | None:
        text = key.string
        if (opening := grammar.OPENING.match(text, start)) is None:
            return self._redact_lines(key, start)
        callee, argument = opening["callee"], opening["argument"]
        is_name = callee is not None and (takes_a_name(callee, argument) or self._is_secret(argument))
        if is_name or (argument and is_harmless(argument)):
            return None
        if callee is None and is_harmless(text[start : start + _LOOKAHEAD].partition("}")[0] + "}"):
            return None  # {token}
        end = grammar.end_of_brackets(text, opening.end() - 1)
        return None if text[start:end] in {"[]", "{}"} else (f"{text[key.end() : start]}{REDACTED}", end)

    def _redact_lines(self, key: re.Match[str], start: int) -> Redacted | None:
        text = key.string
        if (block := grammar.BLOCK.match(text, start)) is not None:
            return REDACTED, block.end()
        if key["colon"] and (line := grammar.FIRST_LINE.match(text, start)) is not None:
            return _redact_nested(key, line)
        return self._redact_words(key, start)

    def _redact_words(self, key: re.Match[str], start: int) -> Redacted | None:
        text, limit = key.string, start + _LOOKAHEAD
        if self._is_code(key, start) or (value := grammar.BARE.match(text, start, limit)) is None:
            return None
        if _tells_nothing(key, value):
            return None
        end = value.end() if value.end() < limit else _end(grammar.BARE, text, start)
        is_line = key["colon"] and key["space"] and value[0][0] not in "\\["
        is_passphrase = is_line and _PASSPHRASE_KEY.search(key["key"])
        return REDACTED, _end(grammar.MORE_WORDS, text, end) if is_passphrase else end

    def _is_code(self, key: re.Match[str], start: int) -> bool:
        """Return whether a value is an expression, a type or the name of a variable."""
        text = key.string
        if is_type(text, start) if key["colon"] else is_expression(text, start):
            return True
        if (name := name_at(text, start)) is None:
            return False
        owner, _, last = key["key"].rpartition(".")
        if "." in name:
            return self._is_secret(name.rpartition(".")[2])
        if owner and name == last:  # self.token = token
            return True
        is_argument = text[start + len(name) : start + len(name) + 1] in {",", ")", "}"}
        return is_argument and (name == last or ("_" in name and self._is_secret(name)))


def _redact_random(key: re.Match[str]) -> Redacted | None:
    """Redact a value that looks random."""
    value = grammar.RANDOM_VALUE.match(key.string, key.end())
    if value is None or is_harmless(value["random"]) or not looks_random(value["random"]):
        return None
    return f"{value['before']}{REDACTED}", value.end()


def _redact_nested(key: re.Match[str], line: re.Match[str]) -> Redacted | None:
    """Redact the indented lines below a key; below a sentence that ends with a key, only words and pairs."""
    text, first, start = key.string, line["first"], line.start("first")
    before = grammar.INDENT.search(text, max(key.start() - _DEEPEST, 0), key.start())
    if before is None:
        is_below = _WORD_OR_PAIR.match((line["item"] or "") + first) is not None
    else:
        is_below = _is_deeper(line["indent"] + " " * bool(line["item"]), before["indent"].replace("-", " "))
    if not is_below or is_prose(first) or is_expression(text, start):
        return None
    return f"{text[key.end() : start]}{REDACTED}", _end(grammar.LINES, text, line.start())


def _is_deeper(indent: str, than: str) -> bool:
    """Return whether a line is indented deeper than another one; if tabs and spaces are mixed, assume that it is."""
    return len(indent) > len(than) or not than.startswith(indent)


def _tells_nothing(key: re.Match[str], value: re.Match[str]) -> bool:
    """Return whether the words after a key are a placeholder, the path of a folder, a short number or prose."""
    first = value[0]
    if is_harmless(first) or is_folder(key["key"], first):
        return True
    if first.isdecimal() and len(first) <= SHORT_NUMBER:
        return not _NUMERIC_KEY.search(key["key"])
    if not key["colon"] or first[0] in "\\[":
        return is_prose(first)
    more = _end(grammar.MORE_WORDS, value.string, value.end(), value.start() + _LOOKAHEAD)
    return is_prose(value.string[value.start() : more])


def _end(pattern: re.Pattern[str], text: str, start: int, end: int | None = None) -> int:
    """Return the end of a match at `start`, or `start` if there is none."""
    found = pattern.match(text, start, len(text) if end is None else end)
    return start if found is None else found.end()
