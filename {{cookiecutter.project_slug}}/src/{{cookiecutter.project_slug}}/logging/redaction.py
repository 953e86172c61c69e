"""Secrets are taken out by the name of their key and by their shape, before an entry exists.

A cheap search for telling words comes first; the walk and the patterns run only where one is found. What is not a
secret survives: `max_tokens` is a number, `author` is a person.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

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
_SHAPES = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), REDACTED),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*){0,3}"), REDACTED),
    (re.compile(r"\b(Bearer|Basic)(\s+)[\w.~+/=:-]{4,}", re.IGNORECASE), rf"\1\2{REDACTED}"),
    (re.compile(r"(://[^\s:/@\"']*:)[^\s\"'<>]{1,512}@"), rf"\1{REDACTED}@"),
    (re.compile(r"\b(?:AKIA[0-9A-Z]{16}|gh[pousr]_\w{20,}|sk-[\w-]{16,})"), REDACTED),
    (re.compile(r"\b(?:xox[baprs]-[\w-]{10,}|AIza[\w-]{30,})"), REDACTED),
)
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)(\\*[\"']?\s*[:=]\s*\\*[\"']?)[^\r\n\"'\\]+")
_PAIR = re.compile(
    r"(?<![\w.-])(?P<key>[\w.-]+)(?P<separator>\\*[\"']?\s*[:=]\s*)"
    r"(?P<value>(?P<escaped>\\+[\"'])(?:(?!(?P=escaped)).)*(?:(?P=escaped))?"
    r"|\"(?:[^\"\\]|\\.)*\"?|'(?:[^'\\]|\\.)*'?|[^\s,;&\"'}\])]+)",
    re.DOTALL,
)
_OPTION = re.compile(r"(?<![\w-])--(?P<key>[\w-]+)(?P<separator>\s+)(?P<value>\"[^\"]*\"|'[^']*'|[^\s\"'-][^\s\"']*)")
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
        text = _HEADER.sub(rf"\1\2{REDACTED}", text)
        return _OPTION.sub(self._option, _PAIR.sub(self._pair, text))

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

    def _pair(self, match: re.Match[str]) -> str:
        key, separator, value = match["key"], match["separator"], match["value"]
        if not self.is_secret(key):
            return f"{key}{separator}{_PAIR.sub(self._pair, value)}"
        if value.strip("\\\"'").lower() in _HARMLESS or value.startswith(REDACTED[:-1]):
            return match[0]
        quote = match["escaped"] or (value[0] if value[0] in "\"'" else "")
        return f"{key}{separator}{quote}{REDACTED}{quote}"

    def _option(self, match: re.Match[str]) -> str:
        return f"--{match['key']}{match['separator']}{REDACTED}" if self.is_secret(match["key"]) else match[0]


def _squash(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())
