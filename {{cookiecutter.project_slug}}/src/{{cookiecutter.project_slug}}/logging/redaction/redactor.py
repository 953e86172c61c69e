"""The redactor: a cheap search for hints first, the slow patterns only if it finds one."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from .addresses import redact_logins
from .encoded import redact_encoded
from .hints import Hints
from .keys import is_perhaps_secret_key, is_secret_key, squash
from .pairs import Pairs
from .placed import redact_places
from .pydantic_errors import redact_invalid_values
from .shapes import SHORTEST_ISSUED_KEY, has_issued_key, redact_shapes
from .tables.places import NAME_FIELDS, VALUE_FIELDS
from .values import REDACTED, SHORTEST_RANDOM, is_folder, looks_random

CACHED_KEYS = 4_096
CACHED_LENGTH = 128
"""Characters of the longest key that is cached: clients choose keys, and long ones would fill the memory."""


class Redactor:
    """Remove secrets from texts and JSON values; `extra_keys` are secret too, `except_keys` are not."""

    def __init__(self, extra_keys: Iterable[str] = (), except_keys: Iterable[str] = ()) -> None:
        self._extra_keys = frozenset(filter(None, map(squash, extra_keys)))
        self._except_keys = frozenset(filter(None, map(squash, except_keys)))
        self._cached_key = lru_cache(CACHED_KEYS)(self._judge)
        self._cached_other_key = lru_cache(CACHED_KEYS)(self._judge_other)
        hints = Hints(self._extra_keys)
        self._has_hint = hints.found_in
        self._search_short = hints.search_short
        self._pairs = Pairs(self.is_secret, self.is_perhaps_secret)

    def is_secret(self, key: str) -> bool:
        """Return whether a key of this name, in any case and style, has a secret value."""
        return self._cached_key(key) if len(key) <= CACHED_LENGTH else self._judge(key)

    def is_perhaps_secret(self, key: str) -> bool:
        """Return whether a key of this name has a secret value if the value looks random."""
        return self._cached_other_key(key) if len(key) <= CACHED_LENGTH else self._judge_other(key)

    def hides(self, key: str, value: str | float) -> bool:
        """Return whether the value of a key is secret."""
        if self.is_secret(key):
            return not (isinstance(value, str) and is_folder(key, value))
        if not isinstance(value, str) or len(value) < SHORTEST_RANDOM:
            return False
        return self.is_perhaps_secret(key) and looks_random(value)

    def fields_named_apart(self, values: Mapping[str, Any]) -> frozenset[str]:
        """Return the fields with the value of a secret that another field names: {"name": "PASSWORD", "value": "x"}."""
        if len(values) < 2 or VALUE_FIELDS.isdisjoint(values):  # noqa: PLR2004 - a name and a value
            return frozenset()
        names = (values[name] for name in NAME_FIELDS.intersection(values))
        is_secret = any(isinstance(name, str) and self.is_secret(name) for name in names)
        return VALUE_FIELDS.intersection(values) if is_secret else frozenset()

    def suspects(self, text: str) -> bool:
        """Return whether a text, also JSON, may contain a secret: fast, with false positives but no false negatives."""
        if len(text) < SHORTEST_ISSUED_KEY:
            return self._search_short(text.lower()) is not None
        return self._has_hint(text.lower()) or has_issued_key(text)

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        if not self.suspects(text):
            return text
        text = redact_invalid_values(text, self.is_secret, self._pairs.redact)
        text = redact_encoded(text, self._plain_text)
        return self._plain_text(text)

    def _plain_text(self, text: str) -> str:
        text = redact_logins(redact_shapes(text))
        text = self._pairs.redact_headers(text)
        text = self._pairs.redact(text)
        return redact_places(text, self.is_secret, self.is_perhaps_secret)

    def value(self, value: Any) -> Any:
        """Return a copy of a JSON value without its secrets."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            apart = self.fields_named_apart(value)
            return {
                self.text(key): hidden(item) if key in apart else self._item(key, item) for key, item in value.items()
            }
        if isinstance(value, list):
            return self._items(value)
        return value

    def _item(self, key: str, item: Any) -> Any:
        return hidden(item) if self.hides(key, item) else self.value(item)

    def _items(self, items: list[Any]) -> list[Any]:
        match items:
            case [str(key), str(item)] if self.is_secret(key) and not item.replace("_", "").isalpha():
                return [key, hidden(item)]
        return [self.value(item) for item in items]

    def _judge(self, key: str) -> bool:
        names = self._names(key)
        return not names.isdisjoint(self._extra_keys) or (names.isdisjoint(self._except_keys) and is_secret_key(key))

    def _judge_other(self, key: str) -> bool:
        return self._names(key).isdisjoint(self._except_keys) and is_perhaps_secret_key(key)

    @staticmethod
    def _names(key: str) -> set[str]:
        name = squash(key)
        return {name, name.rstrip("0123456789")}


def hidden(value: Any) -> Any:
    """Return a value whose strings and numbers are redacted; null and booleans reveal nothing."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return {key: hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hidden(item) for item in value]
    return REDACTED
