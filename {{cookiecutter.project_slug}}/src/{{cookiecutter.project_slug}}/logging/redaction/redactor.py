"""The redactor: a cheap search for hints first, the slow patterns only if it finds one."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from .hints import compile_hints
from .keys import is_secret_key, squash
from .pairs import redact_headers, redact_options, redact_pairs
from .pydantic_errors import redact_invalid_values
from .shapes import REDACTED, redact_shapes

CACHED_KEYS = 4_096
CACHED_LENGTH = 128
"""Characters of the longest key that is cached: clients choose keys, and long ones would fill the memory."""


class Redactor:
    """Remove secrets from texts and JSON values; the values of `extra_keys` are secret too."""

    def __init__(self, extra_keys: Iterable[str] = ()) -> None:
        self._extra_keys = frozenset(filter(None, map(squash, extra_keys)))
        self._cached_key = lru_cache(CACHED_KEYS)(self._judge)
        self.hint = compile_hints(self._extra_keys).search
        """Search a lower-case text for a hint of something to redact or to clean."""

    def is_secret(self, key: str) -> bool:
        """Return whether a key of this name, in any case and style, has a secret value."""
        return self._cached_key(key) if len(key) <= CACHED_LENGTH else self._judge(key)

    def suspects(self, text: str) -> bool:
        """Return whether JSON text may contain a secret: fast, with false positives but no false negatives."""
        return self.hint(text.lower()) is not None or (bool(self._extra_keys) and "\\" in text)

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        if self.hint(text.lower()) is None:
            return text
        text = redact_invalid_values(text, self.is_secret)
        text = redact_shapes(text)
        text = redact_headers(text)
        text = redact_pairs(text, self.is_secret)
        return redact_options(text, self.is_secret)

    def value(self, value: Any) -> Any:
        """Return a copy of a JSON value without its secrets."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._item(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def _item(self, key: str, item: Any) -> Any:
        if item is not None and not isinstance(item, bool) and self.is_secret(key):
            return REDACTED
        return self.value(item)

    def _judge(self, key: str) -> bool:
        name = squash(key)
        return name in self._extra_keys or name.rstrip("0123456789") in self._extra_keys or is_secret_key(key)
