"""Redact secrets in percent-encoded text and behind escaped quotes, which hide keys and their values."""

import re
from collections.abc import Callable
from urllib.parse import quote, unquote

_PERCENT = re.compile(r"(?i)%(?:25)?(?:22|27|3a|3d|26|20|7b|5b)")
_PLAIN = r"[^\s\"'<>%\\&?]*+"
_ENCODED = re.compile(rf"(?:\A|(?<=[\s\"'<>\\&?])){_PLAIN}(?:%[0-9A-Fa-f]{{2}}{_PLAIN})++")
"""A word with encoded signs."""
_ESCAPE = re.compile(r"(?i)\\u00(?:22|27|3[acde]|26|7b|7d)|&(?:quot|apos|#3[49]|#x2[27]|lt|gt|equals|#61);")
_CHARS = {"22": '\\"', "27": "'", "3a": ":", "3d": "=", "3c": "<", "3e": ">", "26": "&", "7b": "{", "7d": "}",
          "quot": '"', "apos": "'", "#34": '"', "#39": "'", "#x22": '"', "#x27": "'", "lt": "<", "gt": ">",
          "equals": "=", "#61": "="}  # fmt: skip
_SAFE = "[]()/:;?#@!$&'*+,=-._~"


def redact_encoded(text: str, redact: Callable[[str], str]) -> str:
    """Decode what is encoded and redact it; leave it as it is if it contains no secret."""
    if _PERCENT.search(text):
        text = _ENCODED.sub(lambda word: _redact_word(word[0], redact), text)
    if _ESCAPE.search(text):
        plain = _ESCAPE.sub(lambda escape: _CHARS[escape[0].lower().strip("&;").removeprefix("\\u00")], text)
        if (clean := redact(plain)) != plain:
            return clean
    return text


def _redact_word(word: str, redact: Callable[[str], str]) -> str:
    plain = unquote(unquote(word)) if "%25" in word else unquote(word)
    clean = redact(plain)
    return word if clean == plain else quote(clean, safe=_SAFE)
