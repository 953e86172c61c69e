"""Redact the values of secret keys in text: headers, `key: value` pairs and command-line options."""

import re
from collections.abc import Callable

from .shapes import REDACTED, WORD_START

_PREFIX = r"[bBfFrRuU]{0,2}+"
"""The letters before the quote of a Python string: b"...", rb"..."."""
_OPENING_QUOTE = rf"{_PREFIX}\\*+[\"']"
_TEXT = r"""
    (?: (?P<escaped>\\++["']) (?: [^\\]++ | (?!(?P=escaped))\\++(?s:.) )*+ (?P=escaped)?+ )+  # \"in a quoted text\"
  | (?: (?P<quote>["']) (?: [^\\"']++ | \\(?s:.) | (?!(?P=quote))["'] )*+ (?P=quote)?+ )+     # "a b", '''c'''
"""
_QUOTED = re.compile(rf"{_PREFIX}(?:{_TEXT})", re.VERBOSE)
_OPENING = re.compile(rf"[\[{{](?!redacted\])|[\w.]*+\((?=\s*+{_OPENING_QUOTE})")
"""The start of ["x", "y"], {"x": "y"} or SecretStr("x")."""
_BRACKET = re.compile(rf"(?:(?<![\w\\])|(?<=\b[bBfFrRuU]))(?:{_TEXT})|[\[{{(]|[\]}})]", re.VERBOSE)
"""A bracket, or a text, whose brackets do not count."""
_BLOCK_START = r"[|>][-+\d]{0,2}+[ \t]*+"
_BLOCK = re.compile(rf"{_BLOCK_START}\r?\n(?P<indent>[ \t]++).*+(?:\r?\n(?:(?P=indent).*+|(?=\r?\n)))*+")
_ESCAPED_BLOCK = re.compile(rf"{_BLOCK_START}(?:\\++[rn])++[ \t]++[^\"']*+")
"""A block of lines in YAML, after `|` or `>-`; the second one inside a quoted text."""
_NO_PAIR = r"(?![\w.-]++\\*+[\"']?+\s*+[:=])"
_WORD = r"(?:[^\s,;&\"'}\])]++|[\"'}\])](?=\w))++"
_DEFAULT = rf"(?:\]?+(?: \| [\w.]++)?+ = (?:[\w.]++\()?+{_OPENING_QUOTE}[^\"'\n]*+[\"']?+)?+"
"""The value after an annotation, as in `token: str | None = "x"`."""
_BARE = re.compile(rf"{_WORD}(?:[,;&]{_NO_PAIR}{_WORD})*+{_DEFAULT}")
"""Words without quotes: a,b; of a,b=c only the a."""
_MORE_WORDS = re.compile(rf"(?:[ \t,;&]++{_NO_PAIR}{_WORD})++")
"""The further words of a passphrase, up to the end of the line or the next pair."""
_PASSPHRASE_KEY = re.compile("pass|pwd|secret", re.IGNORECASE)
_HARMLESS = frozenset({"null", "none", "true", "false", REDACTED})
_KEY = re.compile(
    r"""
    (?<![\w.-])(?P<key> [\w.-]++ ) \\*+["']?+ \s*+
    (?: !=                                # x != y
      | [:=][>=]?+(?:\*\*)?+              # x: y, x=y, x => y, **x:** y
      | (?<=["']),\ (?=b["']) ) \s*+      # (b'x', b'y')
    """,
    re.VERBOSE,
)
_HEADER = re.compile(
    rf"""
    {WORD_START}(?P<name> (?: (?:proxy-)?authorization | (?:set-)?cookie ) \\*+["']?+ \s*+ [:=][>=]?+ \s*+ )
    (?! [\[{{] | (?: [\w.]*+\(\s*+ )?+ {_OPENING_QUOTE} | {_BLOCK_START}[\r\n\\] )          # these are pairs
    (?: [^\r\n"'\\]++                                                                       # a=b; c=d
      | (?:(?<==)|(?<==\ ))(?P<quote>\\{{0,3}}["']) (?: (?!(?P=quote)). )*+ (?P=quote)?+    # a="b"
      | ["'](?=\w) )+                                                                       # a'b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_OPTION = re.compile(
    r"""
    (?: (?<![\w.-]) | (?<=\\[nrt]) ) (?P<option> --(?P<key>[\w.-]++)\s++ )        # --password
    (?: "[^"]*+"?+ | '[^']*+'?+ | [^\s"'-][^\s"']*+ )                            # a value, not another option
    """,
    re.VERBOSE,
)


def redact_headers(text: str) -> str:
    """Redact the values of HTTP headers with credentials, up to the end of the line."""
    return _HEADER.sub(rf"\g<name>{REDACTED}", text)


def redact_pairs(text: str, is_secret: Callable[[str], bool]) -> str:
    """Redact the values of secret keys; search the values of other keys like the rest of the text."""
    parts, done, position = list[str](), 0, 0
    while (key := _KEY.search(text, position)) is not None:
        position = key.end()
        if _has_secret_name(key, is_secret) and (value := _redact_value(key)) is not None:
            shown, end = value
            parts += (text[done:position], shown)
            done = position = end
    return "".join((*parts, text[done:]))


def redact_options(text: str, is_secret: Callable[[str], bool]) -> str:
    """Redact the values of command-line options such as `--password hunter2`."""
    return _OPTION.sub(lambda match: match["option"] + REDACTED if is_secret(match["key"]) else match[0], text)


def _has_secret_name(match: re.Match[str], is_secret: Callable[[str], bool]) -> bool:
    """Return whether the key of a pair is secret, also if its first letter belongs to an escaped line end."""
    key, start = match["key"], match.start()
    if match[0].startswith("PASS:"):  # a test runner's verdict
        return False
    is_escape = start > 0 and match.string[start - 1] == "\\" and key[0] in "nrt"
    return is_secret(key) or (is_escape and is_secret(key[1:]))


def _redact_value(key: re.Match[str]) -> tuple[str, int] | None:
    """Return what to show instead of the value after a key, and the end of the value; None if there is no value."""
    text, start = key.string, key.end()
    if (value := _QUOTED.match(text, start)) is not None:
        quote = value["escaped"] or value["quote"]
        return value[0] if _is_harmless(value[0]) else f"{quote}{REDACTED}{quote}", value.end()
    if (value := _OPENING.match(text, start)) is not None:
        return REDACTED, _end_of_brackets(text, value.end() - 1)
    if (value := _BLOCK.match(text, start) or _ESCAPED_BLOCK.match(text, start)) is not None:
        return REDACTED, value.end()
    if (value := _BARE.match(text, start)) is None:
        return None
    if (end := _end_of_passphrase(key, value)) is not None:
        return REDACTED, end
    return value[0] if _is_harmless(value[0]) else REDACTED, value.end()


def _end_of_passphrase(key: re.Match[str], value: re.Match[str]) -> int | None:
    """Return the end of several words without quotes, as in `password: two words`; None if there is only one."""
    if value[0][0] in "\\[" or key[0][-1] not in ": \t" or "\n" in key[0] or not _PASSPHRASE_KEY.search(key["key"]):
        return None
    more = _MORE_WORDS.match(value.string, value.end())
    return None if more is None else more.end()


def _end_of_brackets(text: str, position: int) -> int:
    """Return the end of the list, object or call whose bracket is at `position`; if it is missing, that of the text."""
    opening, closing = ("(", ")") if text[position] == "(" else ("[{", "]}")
    depth = 0
    for token in _BRACKET.finditer(text, position):
        depth += (token[0] in opening) - (token[0] in closing)
        if not depth:
            return token.end()
    return len(text)


def _is_harmless(value: str) -> bool:
    """Return whether a value reveals nothing, such as null, or is redacted already."""
    return value.strip("\\\"'").lower() in _HARMLESS or value.startswith(REDACTED[:-1])
