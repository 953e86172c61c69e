"""Redact secrets that are recognisable by their shape alone."""

import re
from collections.abc import Callable

from .issuers import ISSUED_KEYS

REDACTED = "[redacted]"
WORD_START = r"(?:\b|(?<=\\[nrt]))"  # the start of a word, also after an escaped line end: `\\nBearer`
_PEM_LABEL = "[A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
_PEM = re.compile(rf"-----BEGIN {_PEM_LABEL}.*?(?:-----END {_PEM_LABEL}|\Z)", re.DOTALL)
_JWT = re.compile(rf"{WORD_START}eyJ[\w-]{{5,}}+(?:\.[\w-]+(?:\.[\w-]*){{0,3}})?")
"""eyJhbGciOi.eyJzdWIi.c2ln; one without dots matches too, so that no other match begins inside it."""
_BEARER = re.compile(rf"{WORD_START}(Bearer|Basic)(\s++)[\w.~+/=:-]{{4,}}", re.IGNORECASE)
_ADDRESS = re.compile(r"://[^\s\"'<>]++")
_PASSWORD = re.compile(r"(://(?:[^:/@]+(?!:\d{1,5}/))?:).+")
"""The password before the @ of an address: ://user:password. Digits and a slash after the colon are a port."""
_ISSUED_KEY = re.compile(rf"{WORD_START}(?:{'|'.join(ISSUED_KEYS)})")
_LOGIN = re.compile(r"^([\w.+-]+://)?.*@", re.DOTALL)


def redact_shapes(text: str) -> str:
    """Redact private keys, JSON web tokens, bearer tokens, passwords in addresses and keys of known issuers."""
    for pattern, replacement in _SHAPES:
        text = pattern.sub(replacement, text)
    return text


def without_login(text: str) -> str:
    """Return an address with `***` instead of everything between its scheme and its last @."""
    return _LOGIN.sub(r"\1***@", text)


def _redact_password(address: re.Match[str]) -> str:
    login, at, place = address[0].rpartition("@")
    return _PASSWORD.sub(rf"\1{REDACTED}", login) + at + place


_SHAPES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_PEM, REDACTED),
    (_JWT, lambda token: REDACTED if "." in token[0] else token[0]),
    (_BEARER, rf"\1\2{REDACTED}"),
    (_ADDRESS, _redact_password),
    (_ISSUED_KEY, REDACTED),
)
