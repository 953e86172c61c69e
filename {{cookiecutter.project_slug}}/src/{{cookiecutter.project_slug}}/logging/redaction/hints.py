"""The hints that every secret contains, for one cheap search that passes most texts."""

import re
from collections.abc import Iterable
from itertools import groupby

_WORDS = """
key to|ken coo|kie se|cret a|uth jwt bearer pwd sessioni|d put_value= -----begin
a|kia ai|za b_pat_ ey|j gl|pat- gocsp|x- n|pm_ pypi|-age s|k- whsec|_ xapp-
"""
"""Words in lower case, and the beginnings of issued keys. A `|` precedes the rare letter at which the search looks."""
_PATTERNS = (
    r"k_(?:live|test)_",  # sk_live_...
    r"pass(?:[wpc\W\d_]|\Z)",  # password, passphrase, passcode, pass:
    r"cred(?:s|en)",  # creds, credentials
    r"basic[\s\\]",  # Basic dXNlcjpw
    r"xox[abeprs]-",  # xoxb-...
    r"_(?<=gh[fopsru]_)",  # ghp_...
    r"_(?<=\bhf_)",  # hf_...
    r"://(?:[^\s:/@]++(?!:\d{1,5}(?:[/\"'\s]|\Z)))?:",  # a login in an address, but no port
    "\0",  # destinations reject NUL
)
"""Hints that are more than a word; each begins at a rare letter too."""


def compile_hints(extra_keys: Iterable[str]) -> re.Pattern[str]:
    """Return one pattern for all hints; `extra_keys` match in any style, such as `home_address` and `home-address`."""
    words = (word.rpartition("|") for word in _WORDS.split())
    hints = sorted([*(f"{rest}(?<={before}{rest})" for before, _, rest in words), *_PATTERNS])
    groups = [(first, [hint[1:] for hint in group]) for first, group in groupby(hints, lambda hint: hint[0])]
    patterns = [f"{first}(?:{'|'.join(rests)})" for first, rests in groups]  # half the time of a flat list
    extra = [r"[\W_]*+".join(map(re.escape, key)) for key in extra_keys]
    return re.compile("|".join(patterns + extra))
