"""Random secrets for the tests of redaction, made from the example in each row of its tables."""

import json
import random
import re
import string
from collections.abc import Callable

ALPHABETS = {
    "a": string.ascii_letters + string.digits,
    "b": string.ascii_letters + string.digits + "+/",
    "d": string.digits,
    "h": "0123456789abcdef",
    "l": string.ascii_lowercase + string.digits,
    "u": string.ascii_uppercase + string.digits,
    "w": string.ascii_letters + string.digits + "_-",
}
"""The characters of each letter in an example: `{a20}` is 20 letters and digits."""

LONG_TEXT = "It sent the list of items to the host. " * 10
"""Text without a hint of a secret; redaction searches long texts in another way than short ones."""

Placement = Callable[[str], str]

PLACEMENTS: dict[str, Placement] = {
    "bare": lambda secret: secret,
    "sentence": lambda secret: f"I tried it with {secret} and it failed.",
    "parentheses": lambda secret: f"the old one ({secret}) works",
    "lines": lambda secret: f"first\n{secret}\nlast",
    "list": lambda secret: json.dumps(["a", secret, "b"]),
    "JSON": lambda secret: json.dumps({"first": 1, "second": secret}),
    "JSON in JSON": lambda secret: json.dumps({"body": json.dumps({"lines": f"a\n{secret}\nb"})}),
    "URL": lambda secret: f"GET https://host.example/items?page=1&q={secret}&last=2",
    "environment line": lambda secret: f"export MY_SETTING={secret}\n",
    "YAML": lambda secret: f"first: 1\nsecond: {secret}\nthird: 3",
    "command": lambda secret: f"tool run --with {secret} --fast",
    "code": lambda secret: f"client = Client('{secret}', retries=2)",
    "long text": lambda secret: f"{LONG_TEXT}({secret}) {LONG_TEXT}",
}
"""Neutral places for a secret: nothing near it says what it is."""

PAIRS: dict[str, Callable[[str, str], str]] = {
    "line": lambda key, value: f"{key}={value}",
    "YAML": lambda key, value: f"first: 1\n{key}: {value}\nlast: 2",
    "JSON": lambda key, value: json.dumps({"first": 1, key: value}),
    "JSON in JSON": lambda key, value: json.dumps({"body": json.dumps({"first": [{key: value}]})}),
    "Python": lambda key, value: str({key: value}),
    "query": lambda key, value: f"https://host.example/?first=1&{key}={value}&last=2",
    "option": lambda key, value: f"run --{key} {value} --fast",
    "assignment": lambda key, value: f'{key} := "{value}"',
    "element": lambda key, value: f"<{key}>{value}</{key}>",
    "item": lambda key, value: f"config['{key}'] = '{value}'",
    "percent-encoded": lambda key, value: f"state=%22{key}%22%3A%22{value}%22",
    "apart": lambda key, value: json.dumps({"name": key, "value": value}),
    "list in YAML": lambda key, value: f"{key}:\n  - {value}\n  - {value}2\nlast: 2",
    "long text": lambda key, value: f"{LONG_TEXT}\n{key}={value}\n{LONG_TEXT}",
}
"""Pairs of a key and its value."""


def fill(example: str, chance: random.Random) -> str:
    """Return an example with random characters."""

    def characters(match: re.Match[str]) -> str:
        return "".join(chance.choice(ALPHABETS[match[1]]) for _ in range(int(match[2])))

    return re.sub(r"\{([abdhluw])(\d+)\}", characters, example)


def is_hidden(secret: str, shown: str) -> bool:
    """Return whether neither a secret nor its larger part is shown."""
    half = max(len(secret) // 2, min(len(secret), 8))
    return secret[:half] not in shown and secret[-half:] not in shown
