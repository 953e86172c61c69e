"""Redact the invalid values that pydantic's messages quote, with their middle cut out if they are long."""

import re
from collections.abc import Callable

from .values import REDACTED

_INVALID_VALUE = re.compile(
    r"""
    (?: (?: ^ | (?<=\\n) )(?P<place> [^\n\\]{0,300}+ )(?: \n | \\n )                # login.password
        [ |]{2,}+ (?: (?! \\n | \binput_value= ). )*+ )?                            #   Input should be a string [
    \binput_value=(?P<value> (?: (?! ,\ input_type= | \binput_value= )(?s:.) )*+ )  # input_value=1234
    (?= ,\ input_type= | \Z )                                                       # , input_type=int]
    """,
    re.MULTILINE | re.VERBOSE,
)


def redact_invalid_values(text: str, is_secret: Callable[[str], bool], redact_pairs: Callable[[str], str]) -> str:
    """Redact a value in a secret place, and of any other value that was cut, the word that was cut."""

    def redact(match: re.Match[str]) -> str:
        label, value = match[0].removesuffix(match["value"]), match["value"]
        if any(map(is_secret, (match["place"] or "").strip().split("."))):
            return label + REDACTED
        head, cut, _ = value.partition("...")
        if not cut:
            return match[0]
        whole_words = head[: max(map(head.rfind, " \t\"'")) + 1]
        return label + redact_pairs(whole_words) + cut

    return _INVALID_VALUE.sub(redact, text) if "input_value=" in text else text
