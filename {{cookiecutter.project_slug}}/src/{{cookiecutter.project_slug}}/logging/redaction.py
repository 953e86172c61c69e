"""Secrets are taken out by the name of their key and by their shape, before an entry exists.

A cheap search for telling words comes first; the walk and the patterns run only where one is found. What is not a
secret survives: `max_tokens` is a number, `author` is a person.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REDACTED = "[redacted]"

_WORDS = frozenset({
    "password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "authorization", "cookie", "cookies",
    "credential", "credentials", "apikey", "jwt", "bearer", "auth", "accesskey", "privatekey", "secretkey",
})  # fmt: skip
"""Words that make a key sensitive wherever they stand in it."""
_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("signing", "key"), ("encryption", "key")})
_LAST_WORDS = frozenset({"token", "accesstoken", "authtoken", "refreshtoken", "idtoken", "sessiontoken", "sessionid"})
"""Words that make a key sensitive at its end: `access_token`, and not `token_count`."""
_ENDINGS = ("password", "passwd", "secret", "apikey", "accesskey", "privatekey", "secretkey", "accesstoken",
            "authtoken", "refreshtoken", "sessiontoken")  # fmt: skip
"""Endings of keys written in one run, as in `dbpassword`."""
_HINTS = re.compile(
    r"passw|passp|pwd|secret|token|key|auth|cookie|credential|bearer|basic |jwt|eyj|session|://[^/\s]{0,600}@"
    r"|-----begin|akia|gh[pousr]_|sk-|xox[baprs]-|aiza"
)
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_START = r"(?:\b|(?<=\\[nrt]))"
"""Where a word begins, also after an escaped line end: `\\nBearer`."""
_SHAPES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), REDACTED),
    # A token without its dots is none, but is matched, so that no other search begins inside of it.
    (
        re.compile(_START + r"eyJ[\w-]{5,}+(?:\.[\w-]+(?:\.[\w-]*){0,3})?"),
        lambda token: REDACTED if "." in token[0] else token[0],
    ),
    (re.compile(_START + r"(Bearer|Basic)(\s+)[\w.~+/=:-]{4,}", re.IGNORECASE), rf"\1\2{REDACTED}"),
    (re.compile(r"(://[^\s:/@\"']*:)[^\s\"'<>]{1,512}@"), rf"\1{REDACTED}@"),
    (re.compile(_START + r"(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|sk-[\w-]{16,})"), REDACTED),
    (re.compile(_START + r"(?:xox[baprs]-[\w-]{10,}|AIza[\w-]{30,})"), REDACTED),
)
_HEADER = re.compile(
    _START + r"((?:proxy-)?authorization|(?:set-)?cookie)(\\*[\"']?\s*[:=]\s*\\*[\"']?)(?!\s*[\[{])[^\r\n\"'\\]+",
    re.IGNORECASE,
)
_KEY = re.compile(r"(?<![\w.-])(?P<key>[\w.-]+)\\*[\"']?\s*[:=]\s*")
_VALUE = re.compile(
    r"(?P<quote>\\+[\"'])(?:(?!(?P=quote)).)*(?:(?P=quote))?"
    r"|\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^\s,;&\"'}\])]+",
    re.DOTALL,
)
_BRACKET = re.compile(r"[\[{]|[\]}]")
_OPTION = re.compile(
    r"(?:(?<![\w-])|(?<=\\[nrt]))--(?P<key>[\w.-]+)(?P<separator>\s+)(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'-][^\s\"']*)"
)
_INVALID = re.compile(
    r"^(?P<place>.{0,300}\S\n)(?P<told>(?>[ |]{2,}.*?\binput_value=))(?P<value>.*)(?=, input_type=)", re.MULTILINE
)
"""What pydantic says about an invalid value: where it is in one line, the value in the next."""
_HARMLESS = frozenset({"null", "none", "true", "false", REDACTED})


class Redactor:
    """Takes secrets out of texts and JSON values; `extra_keys` are more names whose values are secret."""

    def __init__(self, extra_keys: Iterable[str] = ()) -> None:
        self._extra = frozenset(_squash(key) for key in extra_keys)
        hints = [re.escape(key.lower()) for key in extra_keys]
        self._hints = re.compile("|".join([_HINTS.pattern, *hints])) if hints else _HINTS
        self._known: dict[str, bool] = {}

    def suspects(self, text: str) -> bool:
        """Tell whether a text may hold a secret: cheap, and wrong only towards yes."""
        return self._hints.search(text.lower()) is not None

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        if not self.suspects(text):
            return text
        for pattern, replacement in _SHAPES:
            text = pattern.sub(replacement, text)
        text = _HEADER.sub(rf"\1\2{REDACTED}", _INVALID.sub(self._invalid, text))
        return _OPTION.sub(self._option, self._pairs(text))

    def value(self, value: Any) -> Any:
        """Return a JSON value without its secrets, containers copied."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._item(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def is_secret(self, key: str) -> bool:
        """Tell whether a key of this name holds a secret, in any case and style."""
        known = self._known.get(key)
        if known is None:
            known = self._judge(key)
            if len(self._known) < 10_000:  # noqa: PLR2004 - client-chosen keys must not fill the memory
                self._known[key] = known
        return known

    def _judge(self, key: str) -> bool:
        words = [word.lower() for word in _SPLIT.split(key) if word]
        squashed = "".join(words)
        if not words:
            return False
        return (
            not _WORDS.isdisjoint(words)
            or words[-1] in _LAST_WORDS
            or not _PAIRS.isdisjoint(pairwise(words))
            or squashed.endswith(_ENDINGS)
            or squashed in self._extra
        )

    def _item(self, key: str, item: Any) -> Any:
        if self.is_secret(key) and item is not None and not isinstance(item, bool):
            return REDACTED
        return self.value(item)

    def _pairs(self, text: str) -> str:
        """Redact the values of secret keys; the value of any other key is looked through like the rest of the text."""
        parts, done, position = list[str](), 0, 0
        while (key := _KEY.search(text, position)) is not None:
            position = key.end()
            if self._is_secret(key) and (value := _VALUE.match(text, position)) is not None:
                parts += (text[done:position], _masked(value))
                done = position = _end(value)
        return "".join((*parts, text[done:]))

    def _is_secret(self, match: re.Match[str]) -> bool:
        """Tell whether the key of a pair is secret, also where the letter of an escaped line end stands before it."""
        key, start = match["key"], match.start()
        is_escape = start > 0 and match.string[start - 1] == "\\" and key[0] in "nrt"
        return self.is_secret(key) or (is_escape and self.is_secret(key[1:]))

    def _invalid(self, match: re.Match[str]) -> str:
        is_secret = any(map(self.is_secret, match["place"].strip().split(".")))
        return f"{match['place']}{match['told']}{REDACTED}" if is_secret else match[0]

    def _option(self, match: re.Match[str]) -> str:
        return f"--{match['key']}{match['separator']}{REDACTED}" if self.is_secret(match["key"]) else match[0]


def _masked(value: re.Match[str]) -> str:
    """Return what is shown of a secret: its quotes, and all of it where it says nothing."""
    text = value[0]
    if text.strip("\\\"'").lower() in _HARMLESS or text.startswith(REDACTED[:-1]):
        return value.string[value.start() : _end(value)]
    quote = value["quote"] or (text[0] if text[0] in "\"'" else "")
    return f"{quote}{REDACTED}{quote}"


def _end(value: re.Match[str]) -> int:
    """Return where a value ends: a list or an object at the bracket that closes it, or with the text."""
    if value[0][0] not in "[{" or value[0].startswith(REDACTED[:-1]):
        return value.end()
    depth = 0
    for bracket in _BRACKET.finditer(value.string, value.start()):
        depth += 1 if bracket[0] in "[{" else -1
        if not depth:
            return bracket.end()
    return len(value.string)


def _squash(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())
