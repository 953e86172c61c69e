"""What entries are made of in tests: values nobody should log, and texts that hold a secret."""

from __future__ import annotations

import json
import math
import string
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

MARK = "Sample5ecretValue"
HALF = MARK[:8]
"""What must not be shown of it either."""
CUT = 50
"""Characters that pydantic shows of a value."""


class Colour(Enum):
    """An Enum whose value is no JSON."""

    RED = b"\xff"


class Broken:
    """What cannot be shown, hashed or walked through."""

    def __repr__(self) -> str:
        msg = "broken on purpose"
        raise RuntimeError(msg)

    __str__ = __repr__

    def __iter__(self) -> Iterator[int]:
        msg = "broken on purpose"
        raise RuntimeError(msg)


def _circular() -> list[Any]:
    circle: list[Any] = [1]
    circle.append({"again": circle})
    return circle


def _deep() -> list[Any]:
    value: list[Any] = []
    for _ in range(2_000):
        value = [value]
    return value


ODD: list[Any] = [
    math.nan,
    math.inf,
    -math.inf,
    2**63,
    -(2**64),
    10**5_000,
    Decimal("1.5"),
    Decimal("sNaN"),
    b"\xff\x00",
    bytearray(b"x"),
    {1, "a"},
    frozenset(),
    date(2026, 1, 1),
    datetime(9999, 12, 31, tzinfo=UTC),
    datetime(1, 1, 1),  # noqa: DTZ001 - what is under test
    timedelta(days=-1),
    uuid.UUID(int=0),
    Path("/x"),
    Colour.RED,
    Broken(),
    Lock(),
    lambda: None,
    iter([1]),
    _circular(),
    _deep(),
    KeyError("x"),
    range(10**9),
    type,
    SimpleNamespace(a=1),
    "\ud800",
    "\x00",
    memoryview(b"abc"),
    {None: {2: 3}},
    {("a", 1): 2},
    {Broken(): 1},
    1j,
    object(),
    "x" * 1_000_000,
    list(range(20_000)),
]


@dataclass(frozen=True)
class Odd:
    """One of the odd values, by its number: hypothesis shows what it drew, and they cannot be shown."""

    number: int


def real(value: Any) -> Any:
    """Return a drawn value with the odd values in their places."""
    if isinstance(value, Odd):
        return ODD[value.number]
    if isinstance(value, list | tuple):
        return type(value)(map(real, value))
    return {key: real(item) for key, item in value.items()} if isinstance(value, dict) else value


texts = st.text(max_size=50) | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.builds(Odd, st.integers(0, len(ODD) - 1))
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(texts | st.integers(), inner, max_size=2)
    ),
    max_leaves=5,
)
arguments = st.dictionaries(texts, values, max_size=2)

secrets = st.text(alphabet=string.ascii_letters + string.digits + "_", max_size=8).map(lambda text: MARK + text)
KEYS = """
password PASSWORD dbPassword db_password user.password passwd pwd apiKey API_KEY x-api-key token accessToken
refresh_token Authorization authorization cookie Set-Cookie secret client-secret clientSecret privateKey credentials
password1 token_2 DB_PASS smtpPass pass PGPASS api_keys accessTokens encryption-keys AccountKey passcode ssn homeAddress
Home-Address pAsSwOrD PASSword APIkey AUTHtoken storage_key service_role_key client-key-data GITHUB_PAT ADMIN_PW otp
seedPhrase recovery_codes csrftoken connection_string sessionId
"""
FURTHER_KEYS = ("SSN", "home_address")
"""Keys that are secret because a setting names them."""
keys = st.sampled_from(KEYS.split())
shapes = st.sampled_from([
    "Authorization: Bearer {0}", "bearer {0}", "Basic {0}==", "postgresql://me:{0}@host/db", "a://me:x/{0}@host/db", "https://me:{0}@host:1/x?y=z",
    "redis://:{0}@host", "eyJ{0}.{0}.{0}", "-----BEGIN RSA PRIVATE KEY-----\n{0}\n{0}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\\n{0}\\n", "ghp_{0}{0}", "sk-{0}", "xoxb-{0}", "AIza{0}{0}",
    "Cookie: session={0}; other={0}", 'Cookie: theme="dark"; sid={0}', 'Set-Cookie: sid="{0}"; HttpOnly',
    'Authorization: Digest username="bob", response="{0}"', "github_pat_{0}{0}", "sk_live_{0}", "rk_test_{0}",
    "whsec_{0}", "glpat-{0}", "xapp-1-{0}", "GOCSPX-{0}", f"npm_{MARK}{MARK}", f"hf_{MARK}{MARK}", "pypi-AgE{0}",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n{0}\n-----END PGP PRIVATE KEY BLOCK-----",
])  # fmt: skip
pairs = st.sampled_from(
    [
        "{1}={0}",
        "{1}: {0}",
        "{1}='{0}'",
        '{1}="{0}"',
        '"{1}": "{0}"',
        "'{1}': '{0}'",
        "--{1} {0}",
        "--{1}={0}",
        "a=1&{1}={0}&b=2",
        '{1}=SecretStr("{0}")',
        '{1}=("x", "{0}")',
        "{1}=b'{0}'",
        "{{b'{1}': b'{0}'}}",
        "[(b'{1}', b'{0}')]",
        "{1}: u'{0}'",
        '{1}: str | None = "{0}"',
        '{1} => "{0}"',
        '{1} := "{0}"',
        '{1} == "{0}"',
        '{1}="""{0}"""',
        """{1}=ab'{0}""",
        "{1}=ab){0}",
        "{1}=ab}}{0}",
        "**{1}:** {0}",
        "{1}: |\n  a\n  {0}\nb: c",
        '{{"{1}": ["a]b", "{0}"]}}',
        '{{"{1}": "a\\"{0}"}}',
        "config['{1}'] = '{0}'",
        "{1} ?= {0}",
        "<{1}>{0}</{1}>",
        "{1}:\n  - {0}\n  - {0}\nb: c",
        "{1}:\n  a: {0}\n  b: {0}\nb: c",
        '{{"name": "{1}", "value": "{0}"}}',
        "%22{1}%22%3A%22{0}%22",
        r"\u0022{1}\u0022:\u0022{0}\u0022",
    ]
)
plain = st.sampled_from(
    ["", "a", " b ", "\n", "\t", "c. d", "e, f; ", "x = 1 ", "{", "(", "[", "'", '"', "\\", "\u20ac"]
)


@st.composite
def telling_texts(draw: st.DrawFn) -> str:
    """Return a text that holds a secret which its shape or its key gives away, perhaps as JSON inside JSON."""
    secret, how = draw(secrets), draw(st.sampled_from(["key", "shape", "json"]))
    if how == "key":
        said = draw(pairs).format(secret, draw(keys))
    elif how == "shape":
        said = draw(shapes).format(secret)
    else:
        said = json.dumps(
            {"a": draw(plain), draw(keys): draw(st.sampled_from([secret, [secret, secret], {"b": secret}]))}
        )
    text = f"{draw(plain)} {said} {draw(plain)}"
    for _ in range(draw(st.integers(0, 2))):
        text = json.dumps({"text": f"{draw(plain)}\n{text}"})
    return text


_PARTS = """
pass Pass PASS word Word phrase wd code pwd secret Secret s token Token tokens key Key keys KEYS api Api access private
auth Auth cookie cred entials jwt bearer session id sessionid homeAddress author max count boarding 1 2 _ - . "
home-address
"""
key_names = st.lists(
    st.sampled_from([*_PARTS.split(), " ", "\n", "home\naddress", "\u00e9", "\u212a"]), min_size=1, max_size=6
).map("".join)


@st.composite
def straddling_texts(draw: st.DrawFn, place: int) -> str:
    """Return a text with a secret where its `place`-th character is, after keys that redaction makes short."""
    said = draw(telling_texts() | st.builds(str.format, shapes, secrets))
    size = draw(st.sampled_from([0, 1_900, 2_100]))
    before = f"-----BEGIN PRIVATE KEY-----\n{'A' * size}\n-----END PRIVATE KEY----- " * draw(st.integers(0, 2))
    room = max(place - len(before) - draw(st.integers(0, len(said))), 0)
    filler = draw(st.sampled_from([" ", "a b ", "\u20ac ", "x\n", "\0 "]))
    return f"{before}{(filler * room)[:room]} {said}{draw(st.sampled_from(['', ' x', ' and so on' * 1_000]))}"


@st.composite
def secret_values(draw: st.DrawFn) -> Any:
    """Return a value with a secret somewhere in it, under a telling key or in a telling text."""
    if draw(st.booleans()):
        value: Any = draw(telling_texts())
    else:
        value = {draw(keys): draw(st.sampled_from([MARK, [MARK], {"x": MARK}, {"x": [{"y": MARK}]}]))}
    for _ in range(draw(st.integers(0, 3))):
        value = draw(st.sampled_from([[1, value], {"other": value}, (value,), {"a": None, "b": [value, "x"]}]))
    return value


@st.composite
def cut_values(draw: st.DrawFn) -> str:
    """Return what pydantic says about an invalid value with a secret, which it cuts in the middle."""
    secret, key = draw(secrets), draw(keys)
    before = {"user": "u" * draw(st.integers(0, 30))}
    value: Any = draw(st.sampled_from([{**before, key: secret}, {**before, "a": {key: secret}}, [key, {key: secret}]]))
    value = draw(st.sampled_from([value, json.dumps(value), f"{before['user']} {draw(shapes).format(secret)}"]))
    shown = repr(value)
    if len(shown) > CUT:
        shown = f"{shown[: CUT // 2]}...{shown[1 - CUT // 2 :]}"
    text = f"1 validation error\nlogin.host\n  Bad [type=missing, input_value={shown}, input_type=dict]\n    For more"
    return draw(st.sampled_from([text, f"  | {text}", json.dumps({"error": text})]))


ATOMS = [
    *"=: \n\r\t\\\"'[]{}()@a1s.-_,&;|>/`\0\u00e9",
    *["cookie", "authorization", "password", "token", "key", "pass", "ssn", "Bearer ", "Basic ", "eyJ", "sk-", "ghp_"],
    *["-----BEGIN ", "PRIVATE KEY-----", "-----END ", "://", "--", "input_value=", ", input_type=", "\\n", '="', "=>"],
    *["!=", " | ", " = ", 'b"', "|\n", '\\"', "...", "**", "SG.", "_1", 'str = "', "[redacted]", "PASS:", "  ", "x "],
]
repeated = st.tuples(*(st.lists(st.sampled_from(ATOMS), min_size=n, max_size=4).map("".join) for n in (0, 1, 0)))
"""What stands before, what is said again and again, and what stands after it."""

TRAPS = [
    "a=",
    "eyJ-",
    "eyJaaaaa.",
    "token:",
    "://a:",
    '"a:"',
    "cookie",
    "-----BEGIN ",
    "token=[",
    "key=\\",
    "bearer ",
    "--token ",
    "password='",
    "sk-",
    "a.",
    "AKIA",
    'token="\\"',
    "x\n  input_value=",
    "{",
    "[",
    "\\",
    "://",
    "@",
    "Basic  ",
    "key   ",
    "://a:1",
    "password: a ",
    "secret: a&",
    "pass_",
    "token_1",
    "home_",
    "name: a,",
    "value=a,",
    "<a",
    "-p a ",
    "mysql ",
    '("a", ',
    "a:1:",
    "%22",
    r"\u0022",
    "://hook/",
    "key=a.",
    "passwords:\n - ",
    "the token is ",
]
