"""What entries hold: any value, readable and bounded; no secret; the time and place of the event."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import logging
import math
import os
import threading
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

import orjson
import pytest
from loguru import logger
from pydantic import create_model

from {{cookiecutter.project_slug}}.logging.capture import StdlibHandler, guard_loguru
from {{cookiecutter.project_slug}}.logging.entries import OVERLAP, EntryFactory
from {{cookiecutter.project_slug}}.logging.json_safe import decode_json, encode_json, json_safe
from {{cookiecutter.project_slug}}.logging.redaction import REDACTED, Redactor
from {{cookiecutter.project_slug}}.logging.unified_logger import UnifiedLogger

if TYPE_CHECKING:
    from collections.abc import Callable

    from fake_destinations import MemoryDestination

Colour = enum.Enum("Colour", {"RED": "red"})
Point = dataclasses.make_dataclass("Point", ["x"])
Model = create_model("Model", name=(str, ...))


class Broken:
    """An object that cannot be shown."""

    def __repr__(self) -> NoReturn:
        """Fail."""
        raise RuntimeError

    __str__ = __repr__


NAMELESS = type("Nameless", (type,), {"__name__": property(lambda _: 1 / 0)})
PANICKING = NAMELESS("Panicking", (), {"__repr__": lambda _: pytest.fail("as code in Rust does")})()
ODD = {
    "datetime": (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
    "uuid": (UUID(int=1), "00000000-0000-0000-0000-000000000001"), "decimal": (Decimal("1.10"), "1.10"),
    "bytes": (b"caf\xc3\xa9 \xff", "caf\u00e9 \\xff"), "set": ({1}, [1]), "frozenset": (frozenset({"a"}), ["a"]),
    "path": (Path("/a/b"), "/a/b"), "enum": (Colour.RED, "red"), "dataclass": (Point(1), {"x": 1}),
    "model": (Model(name="n"), {"name": "n"}), "exception": (ValueError("no"), "ValueError: no"),
    "nan": (math.nan, "nan"), "infinity": (-math.inf, "-inf"), "nested nan": ([{"a": math.nan}], [{"a": "nan"}]),
    "large integer": (2**70, str(2**70)), "lone surrogate": ("a\ud800", "a\\ud800"), "nul": ("a\0b", "a\\x00b"),
    "nul in a key": ({"a\0": 1}, {"a\\x00": 1}), "number as key": ({1: "a"}, {"1": "a"}),
    "tuple as key": ({(1, 2): "a"}, {"(1, 2)": "a"}), "none as key": ({None: "a"}, {"None": "a"}),
    "tuple": ((1, "a"), [1, "a"]), "text": ("na\u00efve \U0001f600", "na\u00efve \U0001f600"), "true": (True, True),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), ODD.values(), ids=ODD.keys())
def test_every_value_becomes_readable_json(value: Any, expected: Any) -> None:
    """A value JSON has no word for is readable text, on the fast path and, beside a large integer, the careful one."""
    assert json_safe(value) == expected
    assert json_safe({"v": value, "big": 2**70}) == {"v": expected, "big": str(2**70)}
    assert EntryFactory().payload({"v": value}) == {"v": expected}


@pytest.mark.parametrize(
    ("make", "shown"),
    [(lambda: lambda: None, "<function"), (threading.Lock, "lock"), (lambda: (n for n in range(3)), "generator"),
     (Broken, "not readable"), (lambda: (items := dict[str, Any]()).setdefault("a", items), "deeper than"),
     (lambda: functools.reduce(lambda value, _: {"a": value}, range(10_000), {}), "deeper than"),
     (lambda: 10**5_000, "bits"), (lambda: {Broken(): 1}, "not readable"), (lambda: {"a": [Broken()]}, "not readable"),
     (lambda: {"a": [PANICKING], "b": "kept"}, "kept")],
    ids=["lambda", "lock", "generator", "broken", "circular", "deep", "huge integer", "key", "inside", "panicking"],
)  # fmt: skip
def test_what_cannot_be_expressed_is_described(make: Callable[[], Any], shown: str) -> None:
    """Circular, bottomless, unprintable: a description stands in its place, and nothing raises."""
    assert shown in encode_json(json_safe(make()))
    assert shown in encode_json(EntryFactory().payload({"value": make()}))


def test_large_values_are_cut_with_their_full_size_noted() -> None:
    """Ten megabytes of text, a million items, many large texts: bounded, and said so."""
    assert json_safe("x" * 10_000_000).endswith("... [truncated, 10000000 characters]")
    assert json_safe(list(range(1_000_000)))[-1] == "[truncated, 1000000 items]"
    many = json_safe({str(number): "x" * 9_000 for number in range(1_000)})
    assert len(encode_json(many)) < 60_000
    assert many["..."] == "[truncated, 1000 items]"
    assert len(EntryFactory(max_text=100).text("y" * 500)) < 200
    assert len(encode_json(json_safe([[0] * 1_000] * 1_000))) < 200_000
    assert len(encode_json(EntryFactory().payload({"k" * 10_000_000: 1}))) < 20_000


def test_texts_of_a_clients_choice_fill_no_memory() -> None:
    """Names and keys are remembered, since they come again, but few and short ones only; and keys may be secrets."""
    entries = EntryFactory()
    tracemalloc.start()
    for number in range(5_000):
        text = f"n{number}" + "x" * (number % 2 * 10_000)
        assert (entries.name(text)[:2], len(entries.payload({text: 1, "a": [text]}))) == (text[:2], 2)
    assert tracemalloc.get_traced_memory()[0] < 8_000_000
    tracemalloc.stop()
    assert entries.payload({"AKIAHUNTER2HUNTER2AB": 1}) == {REDACTED: 1}


def test_json_that_is_none_is_kept_as_text() -> None:
    """What a database holds need not be JSON; reading it back does not fail."""
    assert decode_json("{broken") == {"text": "{broken"}
    assert decode_json(b"\xff{") == {"text": "\ufffd{"}
    assert encode_json({"a": {1, 2}, "b": Broken()}).startswith('{"a":[1,2]')


KEYS = """
password PASSWORD db_password userPassword password1 pass_word dbpassword pwd passcode pass DB_PASS smtpPass PGPASS
api_key apiKey API-KEY x-api-key api_keys apikeys authkey private_key private_keys encryption_keys AccountKey
access_token accessToken access_tokens refreshToken refreshTokens TOKEN token2 token_1 sessionid Authorization cookie
Set-Cookie client_secret secret1 aws_secret_access_key credentials home-address HomeAddress home.address SSN
pAsSwOrD PASSword APIkey AUTHtoken SECRETkey ACCESStoken
"""


@pytest.mark.parametrize("key", KEYS.split())
def test_a_secret_is_found_by_its_key(key: str) -> None:
    """In any case and style, at the top, nested, and inside JSON text, Python text and log text; or LOG_REDACT_KEYS."""
    entries = EntryFactory(redact_keys=["ssn", "home_address"])
    nested = {key: "hunter2", "deep": [{key: ["hunter2", {"more": "hunter2"}]}], "set": {1}}
    for values in ({key: "hunter2"}, {key: 424_242}, {key: 0.424242}, {"a": {key: "hunter2"}}, nested):
        shown = encode_json(entries.payload(values))
        assert "hunter2" not in shown
        assert "424242" not in shown
        assert REDACTED in shown
    inner = json.dumps({key: "hunter2"})
    for text in (inner, json.dumps({"outer": inner}), str({key: "hunter2"}), f"{key}=hunter2", f"{key}: hunter2"):
        assert "hunter2" not in entries.text(text), text
    assert "hunter2" not in encode_json(entries.payload({"body": inner, "list": [inner]}))


KEY_TEXT = "-----BEGIN RSA PRIVATE KEY-----\nMIIhunter2\n-----END RSA PRIVATE KEY-----"
SHAPES = ["Authorization: Bearer hunter2hunter2", "curl -H 'authorization: bearer hunter2abc'", "Basic aHVudGVyhunter2",
          KEY_TEXT, KEY_TEXT[:50], "scheme://user:hunter2@host:1/db", "scheme://user:p@hunter2@host/db",
          "eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXhunter2.c2lnhunter2", "--password hunter2", "--api-key=hunter2",
          "AKIAHUNTER2HUNTER2AB", "key ASIAHUNTER2HUNTER2AB", "Cookie: a=hunter2; b=hunter2", "scheme://user:p/hunter2@host/db",
          "password: correct horse's hunter2", "password=correct,hunter2", "basic\thunter2abc", "token=ab}hunter2",
          'f(api_key=SecretStr("hunter2"), token=b"hunter2")', "{b'x-api-key': b'hunter2'}", "[(b'token', b'hunter2')]",
          'token: str = "hunter2"', 'token := "hunter2"', 'token => "hunter2"', 'token=("a", "hunter2")',
          'Cookie: a="b"; c=hunter2', "token: >-\n  a\n  hunter2", '{"token": ["x]y", "hunter2"]}',
          "a.b\n  Bad [type=missing, input_value={'user': 'bob12', 'pa...ord': 'hunter2'}, input_type=dict]",
          "-----BEGIN PGP PRIVATE KEY BLOCK-----\nhunter2", f"key SG.{'a' * 20}.hunter2hunter2hunter2",
          *(f"{start}{'hunter2' * 5}" for start in ("github_pat_", "glpat-", "sk_live_", "rk_test_", "whsec_", "xapp-",
                                                    "GOCSPX-", "npm_", "hf_", "pypi-AgE", "key ya29."))]  # fmt: skip


@pytest.mark.parametrize("text", SHAPES)
def test_a_secret_is_found_by_its_shape(text: str) -> None:
    """Bearer tokens, private keys, passwords in addresses, JWTs: in arguments, output, messages and tracebacks."""
    entries = EntryFactory()
    assert "hunter2" not in entries.text(f"before {text}").lower()
    assert "hunter2" not in encode_json(entries.payload({"a": text, "b": {"c": [text]}})).lower()
    assert "hunter2" not in entries.error_text(ValueError(text)).lower()
    assert entries.text(f"before {text}").startswith("before ")


@pytest.mark.parametrize(
    "text",
    ["max_tokens=5", '{"author": "Kim"}', "keyboard: german", "https://host:8080/path?page=2", "a@example.org",
     "token_count: 12", "the secretary of state", "authored by: Kim", "monkey: banana", "12:30 is the time",
     "boarding_pass: A1", "pass_rate=0.9", "PASS: test_a", "http://host:8080/@kim", "bypass: on", "tokens: 7",
     "MAXtokens: 5", "PUBLICkey: a", "PASSenger: Kim", "tokenIZER: a", "the months_a key", "npm_config key hf_hub"],
)  # fmt: skip
def test_what_is_no_secret_survives(text: str) -> None:
    """Numbers of tokens, authors, keyboards and plain addresses are shown as they are."""
    assert EntryFactory().text(text) == text
    assert EntryFactory().payload({"text": text, "max_tokens": 5}) == {"text": text, "max_tokens": 5}


def test_a_passphrase_ends_with_its_line_or_at_the_next_pair() -> None:
    """Several words belong to it after a colon or a blank; what stands around it survives."""
    text = EntryFactory().text
    assert text("a: 1\npwd: two words\nuser: me") == "a: 1\npwd: [redacted]\nuser: me"
    assert text("{pwd: two words, user: me}") == "{pwd: [redacted], user: me}"
    assert text("password=x for me") == "password=[redacted] for me"
    assert text('{"token": ["a[b"], "user": "me"}') == '{"token": [redacted], "user": "me"}'
    assert text("a:\n  token: |\n    x\n\n    y\n  user: me") == "a:\n  token: [redacted]\n  user: me"


def test_a_secret_at_the_cut_is_not_halved() -> None:
    """What remains of a text that is cut shows no first half of a secret, also where others were made short."""
    entries, address = EntryFactory(max_text=100), " scheme://user:hunter2hunter2hunter2@host/db"
    keys = KEY_TEXT.replace("hunter2", "M" * 2_000) * 2
    for text in ("x" * 75 + address, keys + "x " * ((OVERLAP + 75 - len(keys)) // 2) + address + "x" * 9_000):
        for value in (text, [text], {text: 1}, ["x" * 90] * 4 + [text]):
            assert "hunter2" not in encode_json(entries.payload({"a": value}))
            assert "truncated" in encode_json(entries.payload({"a": value}))


def test_a_redaction_that_fails_drops_the_payload_and_keeps_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """No text is better than one that may hold a secret."""
    monkeypatch.setattr(Redactor, "suspects", lambda *_: 1 / 0)
    monkeypatch.setattr(Redactor, "text", lambda *_: 1 / 0)
    entries = EntryFactory()
    assert entries.text("password=hunter2") == "[dropped: redaction failed]"
    assert entries.payload({"password": "hunter2"}) == {"payload": "[dropped: redaction failed]"}
    assert "hunter2" not in entries.error_text(ValueError("password=hunter2"))


def test_braces_and_broken_values_never_raise_in_the_caller(
    memory: MemoryDestination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line with keyword arguments is logged whatever it holds; the template's text stays."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [handler for handler in root.handlers if isinstance(handler, StdlibHandler)])
    logger.info("braces {} and {missing} {", key="value")
    logger.info("broken {value}", value=Broken())
    logger.info(Broken(), key=1)
    logging.getLogger("app").warning("wrong %d %s", "number")  # noqa: PLE1206 - on purpose
    logging.getLogger("app").warning("broken %s", Broken())
    logger.bind(thing=Broken()).info("bound")
    logger.info("fine {value}", value=1)
    assert UnifiedLogger.flush()
    assert memory.messages[:2] == ["braces {} and {missing} {", "broken {value}"]
    assert memory.messages[3:] == ["wrong %d %s", "broken %s", "bound", "fine 1"]
    assert memory.entries[0].extra_data == {"key": "value"}


def test_another_loguru_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its private method has another name there is nothing to guard."""
    monkeypatch.delattr(type(logger), "_log")
    guard_loguru()
    assert not hasattr(type(logger), "_log")


def test_entries_say_where_and_when(memory: MemoryDestination) -> None:
    """A line's module, function, line and thread are those of its writer; its time is aware UTC."""
    before = datetime.now(UTC)
    logger.warning("from loguru", answer=42)
    logging.getLogger("app.part").warning("from stdlib", extra={"answer": 42})
    assert UnifiedLogger.flush()
    for entry in memory.entries:
        assert entry.function == "test_entries_say_where_and_when"
        assert entry.timestamp.tzinfo is UTC
        assert before <= entry.timestamp <= datetime.now(UTC)
        assert (entry.extra_data, entry.thread_name, entry.log_type) == ({"answer": 42}, "MainThread", "internal")
    first, second = memory.entries
    assert (second.line, second.module, len(second.entry_id)) == (first.line + 1, "app.part", 32)


def test_names_of_threads_and_modules_are_clean() -> None:
    """A name that the system gave in bytes may be no Unicode."""
    entries, made, names, odd = EntryFactory(), [], [], os.fsdecode(b"job-\xff\0")

    def make() -> None:
        record = logging.LogRecord(odd, logging.INFO, "", 1, "m", None, None, func=odd)
        made.append(entries.from_stdlib(record))
        names.append(entries.name(threading.current_thread().name))

    thread = threading.Thread(target=make, name=odd)
    thread.start()
    thread.join()
    (line,) = (orjson.loads(orjson.dumps(entry.to_dict())) for entry in made)
    assert {*names, line["thread_name"], line["module"], line["function"]} == {"job-\\udcff\\x00"}


def _log_in(value: str) -> NoReturn:
    message = f"login failed: {value and 'password'}={'hunter'}2"
    raise ValueError(message)


def test_a_traceback_is_kept_without_its_secrets(memory: MemoryDestination) -> None:
    """The exception's text, class and traceback are fields; values of variables are not shown."""
    variable = "swordfish"
    for log in (logger.exception, logging.getLogger("app").exception):
        try:
            _log_in(variable)
        except ValueError:
            log("it broke")
    assert UnifiedLogger.flush()
    for entry in memory.entries:
        shown = encode_json(entry.to_dict())
        assert "test_a_traceback_is_kept" in entry.extra_data["traceback"]
        told = (entry.error_type, entry.level, entry.error_message)
        assert told == ("ValueError", "ERROR", "login failed: password=[redacted]")
        assert not any(secret in shown for secret in ("hunter2", "swordfish"))


def test_a_traceback_that_cannot_be_told_is_redacted_too() -> None:
    """Python gives up where an exception's notes raise; lines of its frames are shown, and may hold a secret."""
    mute = type("Mute", (Exception,), {"__notes__": property(lambda _: 1 / 0)})
    with pytest.raises(mute) as caught:
        raise mute(str({"password": "hunter2"}))
    record = logging.LogRecord("app", logging.ERROR, "", 1, "m", None, (mute, caught.value, caught.tb))
    shown = encode_json(EntryFactory().from_stdlib(record).extra_data)
    assert ("in test_a_traceback" in shown, "hunter2" in shown) == (True, False)
