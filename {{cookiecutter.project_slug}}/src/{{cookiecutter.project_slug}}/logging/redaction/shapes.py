"""Redact secrets that are recognisable by their form: private keys, keys of issuers, bearer tokens."""

import re
from collections import defaultdict
from collections.abc import Iterable

from .long_words import UUID, LongWords
from .tables.issuers import ISSUED_KEYS
from .tables.row import any_of
from .values import REDACTED

SHORTEST_ISSUED_KEY = 20
"""Characters of the shortest key of an issuer."""
_LOOKAHEAD = 120
"""Characters that show whether a word is a token."""
_ORDINARY = re.compile(
    r"(?P<alone>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]++)"  # a UUID or a hash
    r"|[a-z]++(?:[_-]+[a-z]++)*+"  # sk-learn-contrib-package
    r"|_*+[A-Za-z0-9]{1,11}+(?:_+[A-Za-z0-9]{1,11}+)++_*+"  # X509_CERTIFICATE_new
    r"|[a-z]*+(?:[A-Z]++[a-z]++)++"  # BufferedIncrementalDecoder
)
"""Long words that are not the keys of issuers."""
_LONG_WORDS = LongWords(
    length=SHORTEST_ISSUED_KEY, of="_-+", joined_by="./=$~|:,%\\", but_not=_ORDINARY, but_not_alone=UUID
)
_PREFIX = re.compile(r"[\w/-]+(?![\w/-]*[?*+{|])")
"""The first characters of a pattern, if they are the same in every match."""
_PEM_LABEL = "[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
_PEM = re.compile(rf"-----BEGIN {_PEM_LABEL}.*?(?:-----END {_PEM_LABEL}|\Z)", re.DOTALL)
_SCHEME = re.compile(r"(?P<scheme>(?:\b|(?<=\\[nrt]))(?:Bearer|Basic)\s++)(?P<token>[\w.~+/=:-]{4,}+)", re.IGNORECASE)
_TOKEN = re.compile(r"(?=\D*\d).{6,}|.*[a-z].*[A-Z].{3,}|.*[+/=~:].*|.{20,}")
"""What a token has and a word has not: digits, capital letters after small ones, signs, or a great length."""
_WORD = re.compile(r"[A-Z]?[a-z]*(?:[A-Z][a-z]+)*[.,;:]?|[A-Za-z]+(?:[-/.:][A-Za-z]*)+|[A-Z0-9-]{1,9}")


def _by_prefix(patterns: Iterable[str]) -> str:
    """Return one pattern for all, in which each is looked up by its first two characters."""
    groups: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    others = []
    for pattern in patterns:
        if (prefix := _PREFIX.match(pattern)) is None:
            others.append(pattern)
        else:
            first, second = prefix[0][:1], prefix[0][1:2]
            groups[first][second].append(pattern[len(first + second) :])
    known = [
        f"{first}{any_of(second + any_of(rest) for second, rest in group.items())}" for first, group in groups.items()
    ]
    return any_of([*known, f"(?=[^\\s\"']{{{SHORTEST_ISSUED_KEY}}}){any_of(others)}"])


_ENCODED_SIGN = r"(?:(?<=\\)(?:[nrt]|u00[0-9a-f]{2})|(?<=%)[0-9A-Fa-f]{2})"
"""What ends an escaped sign before a key: \\n, \\u0022, %22."""
_ISSUED_KEY = re.compile(
    rf"(?P<before>[^A-Za-z0-9_-]{_ENCODED_SIGN}?){_by_prefix(row.pattern for row in ISSUED_KEYS)}[\w-]*+"
)
_HINTS = [hint for row in ISSUED_KEYS for hint in row.hints]


def has_issued_key(text: str) -> bool:
    """Return whether a long word of a text is the key of an issuer."""
    padded = ""
    for start, end in _LONG_WORDS.spans(text):
        padded = padded or f" {text}"
        if _ISSUED_KEY.search(padded, start, end + 1) is not None:
            return True
    return False


def redact_shapes(text: str) -> str:
    """Redact private keys, keys of issuers and bearer tokens."""
    if "-----BEGIN " in text:
        text = _PEM.sub(REDACTED, text)
    lower = text.lower()
    if any(hint in lower for hint in _HINTS) or has_issued_key(text):
        text = _ISSUED_KEY.sub(rf"\g<before>{REDACTED}", f" {text}")[1:]
    return _SCHEME.sub(_redact_token, text) if "bearer" in lower or "basic" in lower else text


def _redact_token(match: re.Match[str]) -> str:
    token = match["token"][:_LOOKAHEAD]
    is_word = _WORD.fullmatch(token) is not None or _TOKEN.fullmatch(token) is None
    return match[0] if is_word else f"{match['scheme']}{REDACTED}"
