"""Measure redaction: the share of secrets that is found, and the marks in ordinary lines."""

from __future__ import annotations

import random
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from secret_samples import PAIRS, PLACEMENTS, fill, is_hidden

from {{cookiecutter.project_slug}}.logging.redaction import REDACTED, Redactor
from {{cookiecutter.project_slug}}.logging.redaction.tables import ISSUED_KEYS, KEY_WORDS, PLACES
from {{cookiecutter.project_slug}}.logging.redaction.tables.key_words import IF_RANDOM

REDACTOR = Redactor()
ROUNDS = 3
"""Random secrets per row and placement."""
LINES = 20_000
LINES_AT_ONCE = 40
LONGEST_LINE = 500
SOURCES = {".py", ".pyi", ".md", ".rst", ".txt", ".toml", ".cfg", ".json", ""}
"""Endings of the files with ordinary lines: sources and documents; METADATA has none."""
ABOUT_SECRETS = ("http/cookies", "netrc", "getpass", "secret", "redact")
"""Parts of the names of files that contain sample secrets."""
MOST_MARKS = 25
"""Marks in 10,000 ordinary lines."""


def issued_keys(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Return keys of issuers in neutral places, with the texts around them."""
    for row in ISSUED_KEYS:
        for place in PLACEMENTS.values():
            secret = fill(row.example, chance)
            yield secret, place(secret)


def pairs(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Return values of secret keys, with the texts around them."""
    for row in KEY_WORDS:
        for pair in PAIRS.values():
            secret = fill(chance.choice(["{l12}", "{a20}", "{h32}"]), chance)
            if row not in IF_RANDOM:
                yield secret, pair(row.example, secret)


def places(chance: random.Random) -> Iterator[tuple[str, str]]:
    """Return secrets in places that give them away, alone and in other texts."""
    for row in PLACES:
        for place in PLACEMENTS.values():
            marked = row.example.replace("{", "\0{", 1)
            before, _, example = marked.partition("\0")
            secret = fill(example[: example.rindex("}") + 1].partition("}")[0] + "}", chance)
            rest = fill(example.partition("}")[2], chance)
            yield secret, place(f"{before}{secret}{rest}")


@pytest.mark.parametrize(("group", "least"), [(issued_keys, 0.98), (pairs, 0.98), (places, 0.9)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_most_secrets_are_found(group: object, least: float, seed: int) -> None:
    """Random ones, of every row of the tables, in a dozen placements."""
    assert callable(group)
    chance = random.Random(seed)
    found = [is_hidden(secret, REDACTOR.text(text)) for _ in range(ROUNDS) for secret, text in group(chance)]
    recall = sum(found) / len(found)
    sys.stdout.write(f"{group.__name__}: {100 * recall:.1f} % of {len(found):,}\n")
    assert recall >= least


def test_ordinary_lines_survive() -> None:
    """Those of the sources and documents of installed packages and of the standard library."""
    lines = ordinary_lines(random.Random(1))
    marks = {line: count for line in lines if (count := REDACTOR.text(line).count(REDACTED) - line.count(REDACTED))}
    rate = sum(marks.values()) / len(lines) * 10_000
    sys.stdout.write(f"{rate:.1f} marks in 10,000 ordinary lines\n")
    assert rate <= MOST_MARKS, marks


def ordinary_lines(chance: random.Random) -> list[str]:
    """Return lines of files that are at hand, a few dozen of each."""
    folders = {sysconfig.get_path(name) for name in ("purelib", "stdlib")}
    files = sorted(
        path
        for folder in folders
        for path in Path(folder).rglob("*")
        if path.suffix in SOURCES and path.name != "RECORD" and not any(part in str(path) for part in ABOUT_SECRETS)
    )
    lines: list[str] = []
    while len(lines) < LINES:
        path = chance.choice(files)
        if path.is_file():
            text = [line for line in path.read_text("utf-8", "replace")[:300_000].splitlines() if line.strip()]
            first = chance.randrange(max(len(text), 1))
            lines += [line[:LONGEST_LINE] for line in text[first : first + LINES_AT_ONCE]]
    return lines[:LINES]
