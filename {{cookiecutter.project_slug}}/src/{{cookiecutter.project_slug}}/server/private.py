"""Keep values out of error texts, for LOG_ARGUMENTS=false and LOG_RESULTS=false."""

from __future__ import annotations

import re

from ..logging.json_safe import scalars

PLACEHOLDER = "[argument]"
MIN_LENGTH = 3
"""Shorter values are not replaced: they occur in any text by chance."""
_QUOTED_INPUT = re.compile(r"input_value=.*(?=, input_type=)|input_value=.*")
"""What pydantic quotes; the second form is one whose end was truncated."""


def without_quoted_inputs(text: str) -> str:
    """Return a text without the values that pydantic quotes in its errors."""
    return _QUOTED_INPUT.sub(f"input_value={PLACEHOLDER}", text)


def without_values(text: str, arguments: object) -> str:
    """Return a text in which the values of arguments are replaced, longest first."""
    values = {str(value) for value in scalars(arguments) if not isinstance(value, bool)}
    for value in sorted((value for value in values if len(value) >= MIN_LENGTH), key=len, reverse=True):
        text = text.replace(value, PLACEHOLDER)
        text = text.replace(repr(value)[1:-1], PLACEHOLDER)  # as it appears in messages that quote it
    return text
