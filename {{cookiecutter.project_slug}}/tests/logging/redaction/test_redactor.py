"""Secrets are removed from texts and values, by key and by shape; everything else survives."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from secret_samples import LONG_TEXT

from {{cookiecutter.project_slug}}.logging.entries import EntryFactory
from {{cookiecutter.project_slug}}.logging.json_safe import encode_json
from {{cookiecutter.project_slug}}.logging.redaction import REDACTED, Redactor, without_login

EXTRA_KEYS = ["ssn", "home_address"]
KEYS = """
password PASSWORD db_password userPassword password1 pass_word dbpassword pwd passcode pass DB_PASS smtpPass PGPASS
api_key apiKey API-KEY x-api-key api_keys apikeys authkey private_key private_keys encryption_keys AccountKey
access_token accessToken access_tokens refreshToken refreshTokens TOKEN token2 token_1 sessionid Authorization cookie
Set-Cookie client_secret secret1 aws_secret_access_key credentials home-address HomeAddress home.address SSN
pAsSwOrD PASSword APIkey AUTHtoken SECRETkey ACCESStoken storage_key app_key dd_app_key service_role_key
client-key-data GITHUB_PAT ADMIN_PW otp pin seed_phrase mnemonic recovery_codes csrftoken connection_string session_id
"""
HARMLESS_KEYS = """
author keyboard monkey max_tokens token_count boarding_pass render_pass pass_rate bypass auth0_domain MAXtokens
PUBLICkey PASSenger tokenIZER passage compass secretary password_policy password_length has_password authorization_url
authorization_status auth_type auth_method credential_type secret_name api_key_id ssh_key_path signing_key_id
jwt_algorithm cookie_consent next_page_token nextToken page_token continuation_token sync_token eos_token hall_pass
compile_pass token_expires_at primary_key cache_key gpio_pin
"""


@pytest.mark.parametrize("key", KEYS.split())
def test_the_value_of_a_secret_key_is_redacted(key: str) -> None:
    """In any case and style, on top and nested, in JSON, Python and log text; LOG_REDACT_KEYS adds keys."""
    entries, redactor = EntryFactory(redact_keys=EXTRA_KEYS), Redactor(EXTRA_KEYS)
    assert redactor.is_secret(key)
    nested = {key: "hunter2", "deep": [{key: ["hunter2", {"more": "hunter2"}]}], "set": {1}}
    for values in ({key: "hunter2"}, {key: 424_242}, {key: 0.424242}, {"a": {key: "hunter2"}}, nested):
        shown = encode_json(entries.payload(values))
        assert "hunter2" not in shown
        assert "424242" not in shown
        assert REDACTED in shown
    inner = json.dumps({key: "hunter2"})
    for text in (inner, json.dumps({"outer": inner}), str({key: "hunter2"}), f"{key}=hunter2", f"{key}: hunter2"):
        assert "hunter2" not in entries.text(text), text
        assert redactor.suspects(text), text
    assert "hunter2" not in encode_json(entries.payload({"body": inner, "list": [inner]}))


@pytest.mark.parametrize("key", HARMLESS_KEYS.split())
def test_the_value_of_a_similar_key_survives(key: str) -> None:
    """Part of a word, a number of tokens or a pass for boarding is not a secret."""
    redactor = Redactor()
    assert not redactor.is_secret(key)
    assert redactor.value({key: "kept"}) == {key: "kept"}
    assert redactor.text(f"{key}=kept") == f"{key}=kept"


def test_null_and_booleans_survive_under_a_secret_key() -> None:
    """They reveal nothing, and help to see whether a value was set; every string and number is redacted."""
    values = {"password": None, "token": True, "secret": [1, False, {"old": "x", "set": True, "next": None}]}
    hidden = [REDACTED, False, {"old": REDACTED, "set": True, "next": None}]
    assert Redactor().value(values) == {"password": None, "token": True, "secret": hidden}
    text = '{"token": null, "api_key": "[redacted]"}'
    assert Redactor().text(text) == text


def test_a_setting_exempts_keys() -> None:
    """In any style; the forms of secrets are still redacted, and so is a key that another setting adds."""
    redactor = Redactor(["ssn", "pin"], except_keys=["session-id", "cookie", "PIN"])
    assert redactor.value({"sessionId": "a", "cookies": "b", "SSN": "c", "pin": 1}) == {
        "sessionId": "a", "cookies": REDACTED, "SSN": REDACTED, "pin": REDACTED,
    }  # fmt: skip
    assert redactor.text("Cookie: theme=dark; session_id=hunter2") == "Cookie: theme=dark; session_id=hunter2"
    assert redactor.text("session_id: Bearer hunter2hunter2") == f"session_id: Bearer {REDACTED}"


def test_the_value_of_a_secret_survives_nowhere_apart_from_its_name() -> None:
    """As fields of one object, as a list of two and as headers, in values and in text."""
    entries = EntryFactory()
    for values in (
        {"name": "Authorization", "value": "hunter2"},
        {"value": "hunter2", "key": "DB_PASSWORD"},
        {"headers": [["X-Api-Key", "hunter2"]]},
        {"env": [{"name": "API_TOKEN", "value": "hunter2", "type": "plain"}]},
    ):
        assert "hunter2" not in encode_json(entries.payload(values))
        assert "hunter2" not in entries.text(json.dumps(values))
        assert "hunter2" not in entries.text(json.dumps({"body": json.dumps(values)}))
    plain = {"name": "city", "value": "Rome"}
    assert entries.payload(plain) == plain
    assert entries.text(json.dumps(plain)) == json.dumps(plain)


KEY_TEXT = "-----BEGIN RSA PRIVATE KEY-----\nMIIhunter2\n-----END RSA PRIVATE KEY-----"
PREFIXES = ("github_pat_", "glpat-", "sk_live_", "rk_test_", "whsec_", "xapp-", "GOCSPX-", "npm_", "hf_", "pypi-AgE",
            "key ya29.", "ghp_", "sk-", "xoxb-", "AIza")  # fmt: skip
TEXTS = {
    "header": "Authorization: Bearer hunter2hunter2",
    "header in a command": "curl -H 'authorization: bearer hunter2abc'",
    "basic login": "Basic aHVudGVyhunter2",
    "basic login after a tab": "basic\thunter2abc",
    "private key": KEY_TEXT,
    "truncated private key": KEY_TEXT[:50],
    "PGP key": "-----BEGIN PGP PRIVATE KEY BLOCK-----\nhunter2",
    "password in an address": "scheme://user:hunter2@host:1/db",
    "password with an @": "scheme://user:p@hunter2@host/db",
    "password with a slash": "scheme://user:p/hunter2@host/db",
    "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXhunter2.c2lnhunter2",
    "option": "--password hunter2",
    "option with =": "--api-key=hunter2",
    "AWS key": "AKIAHUNTER2HUNTER2AB",
    "temporary AWS key": "key ASIAHUNTER2HUNTER2AB",
    "SendGrid key": f"key SG.{'a' * 20}.hunter2hunter2hunter2",
    "cookies": "Cookie: a=hunter2; b=hunter2",
    "quoted cookie": 'Cookie: a="b"; c=hunter2',
    "passphrase": "password: correct horse's hunter2",
    "comma": "password=correct,hunter2",
    "bracket": "token=ab}hunter2",
    "calls": 'f(api_key=SecretStr("hunter2"), token=b"hunter2")',
    "bytes": "{b'x-api-key': b'hunter2'}",
    "pairs of bytes": "[(b'token', b'hunter2')]",
    "annotated": 'token: str = "hunter2"',
    "walrus": 'token := "hunter2"',
    "arrow": 'token => "hunter2"',
    "tuple": 'token=("a", "hunter2")',
    "block of lines": "token: >-\n  a\n  hunter2",
    "list": '{"token": ["x]y", "hunter2"]}',
    "pydantic": "a.b\n  Bad [type=missing, input_value={'user': 'bob12', 'pa...ord': 'hunter2'}, input_type=dict]",
    "empty value": 'A_KEY=\nDB_PASSWORD="two hunter2"',
    "ampersand": "password=&hunter2",
    "list in YAML": "text\npasswords:\n  - hunter2\n  - hunter2\n",
    "list in the message of an exception": "text\nValueError:  passwords:\n  - hunter2\n  - hunter2\n",
    "list below a sentence": "the old passwords:\n  - hunter2\n  - hunter2\n",
    "object below a sentence": "the old passwords:\n  a: hunter2\n  b: hunter2\n",
    "list below a sentence in JSON": json.dumps({"a": "\nthe passwords:\n  - hunter2\n  - hunter2\nb: c"}),
    "object in YAML": "text\ndb:\n  password:\n    value: hunter2\n    old: hunter2\nuser: me",
    "escaped quotes": r"\u0022password\u0022:\u0022hunter2\u0022",
    "escaped element": "&lt;password&gt;hunter2&lt;/password&gt;",
    "percent-encoded header": "Authorization%3A%20Bearer%20hunter2",
    "token as the user of an address": "https://hunter2hunter2hunter2@host/a.git",
    "subscript": 'os.environ["API_TOKEN"] = "hunter2"',
    "Makefile": "API_TOKEN ?= hunter2",
    "passphrase of several words": "passphrase: correct horse hunter2",
    "key of an issuer and its secret": "credentials: AKIAABCDEFGHIJKLMNOP:hunter2/K7MDENG/bPxRfiCY",
    "cookie after a token": "Cookie: eyJhbGciOiJIUzI1NiJ9.eyJodW50ZXhunter2.c2lnhunter2; session=hunter2",
    "password with a token in it": json.dumps({"password": f"ghp_{'a1B2' * 9} and hunter2"}),
    "password like a folder": "MYSQL_PWD=/hunter2/x",
    "password like a home": '{"db_pwd": "~hunter2"}',
    "signature in a nested header": json.dumps({"headers": {"X-Amz-Signature": "hunter2aB3dE6gH9jK2mN5p"}}),
    **{prefix: f"{prefix}{'hunter2' * 5}" for prefix in PREFIXES},
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_secret_is_recognised_by_its_shape(text: str) -> None:
    """In arguments, output, messages and the texts of exceptions; the text before it survives."""
    entries = EntryFactory()
    assert "hunter2" not in entries.text(f"before {text}").lower()
    assert "hunter2" not in entries.text(f"{LONG_TEXT}{text}").lower()
    assert "hunter2" not in encode_json(entries.payload({"a": text, "b": {"c": [text]}})).lower()
    assert "hunter2" not in entries.error_text(ValueError(text)).lower()
    assert entries.text(f"before {text}").startswith("before ")


@pytest.mark.parametrize(
    "text",
    ["max_tokens=5", '{"author": "Kim"}', "keyboard: german", "https://host:8080/path?page=2", "a@example.org",
     "token_count: 12", "the secretary of state", "authored by: Kim", "monkey: banana", "12:30 is the time",
     "boarding_pass: A1", "pass_rate=0.9", "PASS: test_a", "http://host:8080/@kim", "bypass: on", "tokens: 7",
     "Basic usage of the library", "Bearer token is invalid", "unexpected token: 'foo'", "api_key: field required",
     "Password: must be at least 8 characters", "pass: 10 fail: 2", "auth: failed", "credentials: 3 found",
     "sk-learn-contrib-package-name", "token = self.get_token(", "password=password, user=user", "token: str | None",
     'token = os.environ["API_TOKEN"]', "password: ${DB_PASSWORD}", 'api_key: "<your key>"', "PWD=/srv/data",
     "otp: null", "3f2b8c1e-9a4d-4e57-8f10-2b6c7d8e9f01",
     "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
     "MAXtokens: 5", "PUBLICkey: a", "PASSenger: Kim", "tokenIZER: a", "the months_a key",
     "rules for a password:\n  - uppercase letters\n  - 8 characters\n", "npm_config key hf_hub"],
)  # fmt: skip
def test_a_text_without_a_secret_survives(text: str) -> None:
    """Numbers of tokens, authors, keyboards and plain addresses are shown unchanged."""
    assert EntryFactory().text(text) == text
    assert EntryFactory().payload({"text": text, "max_tokens": 5}) == {"text": text, "max_tokens": 5}


SURROUNDINGS = {
    "a: 1\npwd: two words\nuser: me": "a: 1\npwd: [redacted]\nuser: me",
    "{pwd: two words, user: me}": "{pwd: [redacted], user: me}",
    "password=x for me": "password=[redacted] for me",
    '{"token": ["a[b"], "user": "me"}': '{"token": [redacted], "user": "me"}',
    "a:\n  token: |\n    x\n\n    y\n  user: me": "a:\n  token: [redacted]\n  user: me",
    "token='x' user=me": "token='[redacted]' user=me",
    'f(SecretStr("x"), token=S("x"), a=1)': 'f(SecretStr("x"), token=[redacted], a=1)',
    "run --token x --user me": "run --token [redacted] --user me",
    "Cookie: a=b; c=d\nHost: me": "Cookie: [redacted]\nHost: me",
    "scheme://me:x@host/db": "scheme://me:[redacted]@host/db",
}


@pytest.mark.parametrize(("text", "expected"), SURROUNDINGS.items())
def test_only_the_secret_is_redacted(text: str, expected: str) -> None:
    """A passphrase ends with its line or at the next pair, a list or call with its bracket, a block by indentation."""
    assert EntryFactory().text(text) == expected


PYDANTIC = "1 error\nlogin.{}\n  Input should be a string [type=string_type, input_value={}, input_type=int]"


def test_pydantic_errors_show_invalid_values_without_secrets() -> None:
    """A value in a secret place is redacted; one that pydantic cut loses the word at the cut; any other survives."""
    redact = Redactor().text
    assert redact(PYDANTIC.format("password", "1234")) == PYDANTIC.format("password", REDACTED)
    assert redact(PYDANTIC.format("port", "1234")) == PYDANTIC.format("port", "1234")
    assert redact(PYDANTIC.format("port", "'kim pass...word'")) == PYDANTIC.format("port", "'kim ...")


def test_keys_that_clients_choose_do_not_fill_the_memory() -> None:
    """Results are cached for a limited number of short keys, and not at all for long ones."""
    redactor = Redactor()
    tracemalloc.start()
    for number in range(6_000):
        length = 0 if number % 6 else 5_000
        assert redactor.is_secret(f"{number}_{'x' * length}_password")
    assert tracemalloc.get_traced_memory()[0] < 3_000_000
    tracemalloc.stop()


def test_without_login_hides_everything_before_the_last_at_sign() -> None:
    """The scheme and the host stay readable."""
    assert without_login("scheme://me:p@ss@host:1/db") == "scheme://***@host:1/db"
    assert without_login("me:secret@host") == "***@host"
    assert without_login("scheme://host:1/db") == "scheme://host:1/db"
