"""Redact the logins of addresses."""

import re

from .values import REDACTED, is_harmless, looks_random

_ADDRESS = re.compile(r"://[^\s\"'<>`]++")
_PASSWORD = re.compile(r"(?P<before>://(?:[^:/@]*(?!:\d{1,5}/))?:)(?P<password>.+)")
"""The password before the @ of an address: ://user:password. Digits and a slash after the colon are a port."""
_USER = re.compile(r"://(?P<user>[^:/@]+)(?P<after>(?::(?:x-oauth-basic|x)?)?)$")
"""A user without a password, which may be a token."""
_LOGIN = re.compile(r"^([\w.+-]+://)?.*@", re.DOTALL)


def redact_logins(text: str) -> str:
    """Redact passwords in addresses, and users that are tokens."""
    return _ADDRESS.sub(_redact_login, text) if "://" in text else text


def without_login(text: str) -> str:
    """Return an address with `***` instead of everything between its scheme and its last @."""
    return _LOGIN.sub(r"\1***@", text)


def _redact_login(address: re.Match[str]) -> str:
    login, at, place = address[0].rpartition("@")
    user = _USER.match(login)
    if user is not None and (looks_random(user["user"]) or user["after"] == ":x-oauth-basic"):
        return f"://{REDACTED}{user['after']}@{place}"
    return _PASSWORD.sub(_redact_password, login) + at + place


def _redact_password(match: re.Match[str]) -> str:
    return match[0] if is_harmless(match["password"]) else f"{match['before']}{REDACTED}"
