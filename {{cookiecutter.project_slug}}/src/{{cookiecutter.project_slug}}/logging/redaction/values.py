"""Tell placeholders and random words from other values."""

import re

REDACTED = "[redacted]"
_LONGEST = 256
"""Characters of a value that are looked at."""
_HARMLESS = frozenset({"", "null", "none", "nil", "undefined", "true", "false", "include", "omit", "same-origin"})
_SIGNS = re.compile(r"[^\w\s]{1,3}")
_PLACEHOLDER = re.compile(
    r"""
    \[redacted\] | arn:[\w-]+:\S+
    | (?P<same> [.*xX\#_-] ) (?P=same){2,}+                         # ***, xxxxx, ...
    | <[^<>\s]*> | <[A-Za-z][A-Za-z _-]*>                            # <token>, <your token>
    | \$\{?[A-Z_][A-Z0-9_]*+\}? | \$\([^()]*\) | \$\{\{[^{}]*\}\}  # $TOKEN, ${TOKEN}, $(cat token)
    | \#[0-9A-Fa-f]{6}                                              # a colour
    | %\(\w*\)[sdr] | %[sdr] | %[A-Z_]+%                             # %s, %(token)s, %TOKEN%
    | \{{1,2}[\w.!:\[\] -]*\}{1,2}                                   # {token}
    """,
    re.VERBOSE,
)
_AROUND_PLACEHOLDERS = re.compile(r"^(?:Bearer|Basic)?\s*+[\s:=]*+|[\s:@/-]*+$", re.IGNORECASE)
_FOLDER_KEYS = frozenset({"pwd", "oldpwd"})
_FOLDER = re.compile(r"[\"']?(?:[~.]{0,2}/|~|[A-Za-z]:\\)")

SHORTEST_RANDOM = 16
"""Characters of the shortest word that may be a key."""
_RANDOM_WORD = re.compile(rf"[\w+/=~%.:-]{{{SHORTEST_RANDOM},}}")
_FILE = re.compile(r"\.[a-z]\w{1,3}$")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_PART = re.compile(r"[A-Za-z0-9]{10,}+")
_CHANGE = re.compile(r"[0-9](?=[A-Za-z])|[a-z](?=[0-9A-Z])|[A-Z](?=[0-9])")
_CHANGES = 6
"""One in so many characters of a random word differs in kind from the next: small letter, capital letter or digit."""


def is_harmless(value: str) -> bool:
    """Return whether a value reveals nothing: it is empty, null, a placeholder or redacted already."""
    value = value[:_LONGEST].strip("\\\"'` \t")
    if value.lower() in _HARMLESS or value == REDACTED[:-1] or _SIGNS.fullmatch(value):
        return True
    return not _AROUND_PLACEHOLDERS.sub("", _PLACEHOLDER.sub("", value))


def is_folder(key: str, value: str) -> bool:
    """Return whether a key and its value are those of the working folder: `PWD=/srv/data`."""
    return key.lower() in _FOLDER_KEYS and _FOLDER.match(value) is not None


def looks_random(word: str) -> bool:
    """Return whether a word may be a key: long, of letters and digits in no order."""
    word = word[:_LONGEST]
    if _RANDOM_WORD.match(word) is None or _FILE.search(word) is not None:
        return False
    return _UUID.fullmatch(word) is not None or any(map(_is_jumbled, _PART.findall(word)))


def _is_jumbled(part: str) -> bool:
    return len(_CHANGE.findall(part)) * _CHANGES > len(part)
