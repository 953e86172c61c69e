"""Decide by its name whether a key has a secret value."""

import re

_ANYWHERE = (
    r"pass_?(?:words?|wds?|phrases?|codes?)",  # password_hash, PassWd
    r"pwd|secrets?|cookies?|creds|credentials?",  # secret_value, set-cookie, db_creds
    r"authorization|auth(?!0)|jwts?|bearer",  # Proxy-Authorization, auth_header; not auth0_domain
    r"(?:access|account|api|auth|encryption|hmac|master|private|secret|session|signing|ssh)_?keys?",  # secret_key_id
    r"(?:access|api|auth|bearer|id|refresh|session)_?tokens",  # refresh_tokens
)
"""Words that make a key secret in any position."""
_HARMLESS_PREFIXES = (
    "all backward band boarding bus day each first forward guest high last low max min multi next num one per press "
    "render season second single ski test tests third total two"
)
"""Words before `pass` that make it harmless: boarding_pass, render_pass."""
_AT_THE_END = (
    r"_(?:access|auth|id|refresh|session)?token",  # access_token; not token_count
    r"_sessionid",
    r"[^_](?:passwords?|passwd|secrets?)",  # dbpassword
    r"[^_](?:access|api|auth|private|secret)keys?",  # myapikey
    r"[^_](?:access|auth|refresh|session)tokens?",  # myaccesstoken
    r"(?:admin|auth|db|ftp|ldap|login|mail|pg|redis|root|smtp|sql|ssh|user)pass",  # dbpass
    rf"(?:^|_(?!(?:{'|'.join(_HARMLESS_PREFIXES.split())})_)[^_]+)_pass",  # pass, db_pass; not boarding_pass
)
"""Words that make a key secret only in the last position."""
_SECRET = re.compile(rf"_(?:{'|'.join(_ANYWHERE)})\d*_|(?:{'|'.join(_AT_THE_END)})\d*(?:_\d+)*_$")
"""A secret in the words of a key, which are in lower case and between underscores: `_db_password_`."""
_SPLITS = (
    re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"),  # dbPassword, DB_PASSWORD, API-Key
    re.compile(r"[\W_]+"),  # PASSword
)
"""Two ways to split a key into words: capital letters begin a word, or they mean nothing."""


def is_secret_key(key: str) -> bool:
    """Return whether a key of this name has a secret value."""
    return any(_SECRET.search(f"_{'_'.join(filter(None, split.split(key)))}_".lower()) for split in _SPLITS)


def squash(key: str) -> str:
    """Return the letters and digits of a key in lower case, so that all styles of a name are equal."""
    return re.sub(r"[\W_]+", "", key.lower())
