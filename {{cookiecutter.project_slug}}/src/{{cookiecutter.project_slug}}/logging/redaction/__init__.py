"""Secrets are taken out by the name of their key and by their shape, before an entry exists.

A cheap search for telling words comes first; the walk and the patterns run only where one is found. What is not a
secret survives: `max_tokens` is a number, `author` is a person.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

REDACTED = "[redacted]"
MAX_MEMOS = 4_096
MAX_MEMO_LENGTH = 128

_SECRET_KEY = re.compile(
    r"""
    # Wherever they stand in a key ...
    _(?: pass_?words? | pass_?wds? | pass_?phrases? | pass_?codes? | pwd             # password_hash, PassWd
       | secrets?                                                                    # secret_value, secret1
       | authorization                                                               # Proxy-Authorization
       | cookies?                                                                    # set-cookie
       | creds | credentials?                                                        # db_creds
       | jwts? | bearer                                                              # jwt_value
       | auth(?!0)                                                                   # auth_header, not auth0_domain
       | (?: access | account | api | auth | encryption | hmac | master | private | secret | session | signing | ssh )
         _?keys?                                                                     # aws_secret_access_key
       | (?: access | api | auth | bearer | id | refresh | session )_?tokens         # refresh_tokens
      )\d*_
    # ... and only at its end.
  | (?: _(?: access | auth | id | refresh | session )?token                          # access_token, not token_count
      | _sessionid                                                                   # sessionid
      | [^_](?: passwords? | passwd | secrets?                                       # dbpassword
              | (?: access | api | auth | private | secret )keys?                    # myapikey
              | (?: access | auth | refresh | session )tokens? )                     # myaccesstoken
      | (?: admin | auth | db | ftp | ldap | login | mail | pg | redis | root | smtp | sql | ssh | user )
        pass                                                                         # dbpass
      | (?: ^ | _(?! (?: all | backward | band | boarding | bus | day | each | first | forward | guest | high | last
                       | low | max | min | multi | next | num | one | per | press | render | season | second | single
                       | ski | test | tests | third | total | two )_ ) [^_]+ )_pass  # db_pass, not boarding_pass
    )\d*(?:_\d+)*_$
    """,
    re.VERBOSE,
)
"""Keys whose values are secret, as their words in lower case between underscores: `_db_password_`."""
_HINTS = re.compile(
    r"""
    k(?: ey | en(?<=token) | ie(?<=cookie) | ia(?<=akia) | -(?<=sk-)                # key, token, cookie, AKIA, sk-...
       | _(?: live | test )_ )                                                      # sk_live_...
  | p(?: wd | a(?: ss(?: [wpc\W\d_] | \Z ) | t-(?<=glpat-) )                        # pwd, password, pass:, glpat-...
       | m_(?<=npm_) | ut_value= )                                                  # npm_..., input_value=
  | c(?: ret(?<=secret) | red(?:s|en) )                                             # secret, creds, credentials
  | uth(?<=auth)                                                                    # auth, Authorization
  | b(?: earer | asic[\s\\] | _pat_ )                                               # Bearer, Basic, github_pat_...
  | j(?: wt | (?<=eyj) )                                                            # jwt, eyJ...
  | d(?<=sessionid)                                                                 # sessionid
  | _(?<=h[fopsru]_|ec_)(?: (?<=gh._) | (?<=\bhf_) | (?<=whsec_) )                  # ghp_..., hf_..., whsec_...
  | x(?: ox[abeprs]- | app- | -(?<=gocspx-) )                                       # xoxb-..., GOCSPX-...
  | za(?<=aiza)                                                                     # AIza...
  | -(?: ----begin | age(?<=pypi-age) )                                             # a key in PEM form, pypi-AgE...
  | \0                                                                              # NUL
  | ://(?: [^\s:/@]++ (?! :\d{1,5}(?: [/"'\s] | \Z ) ) )?:                          # a login in an address, and no port
    """,
    re.VERBOSE,
)
"""What no secret is without, in lower case, and NUL; each begins at a rare letter, which halves a search's time."""
_SPLITS = (re.compile(r"[\W_]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])"), re.compile(r"[\W_]+"))
"""Where a key's words end: also at a capital letter, and, since some write `PASSword`, only at what is no letter."""
_PASSWORD = re.compile(r"(://(?:[^:/@]+(?!:\d{1,5}/))?:).+")
"""A password in what stands before an address's @; digits and a slash after the colon are a port."""
_LOGIN = re.compile(r"^([\w.+-]+://)?.*@", re.DOTALL)
_ISSUED = r"""
    A[KS]IA[0-9A-Z]{16} | gh[pousr]_\w{20,} | github_pat_\w{20,} | glpat-[\w.-]{16,} | sk-[\w-]{16,}
  | [rs]k_(?:live|test)_\w{10,} | whsec_\w{10,} | xox[abeprs]-[\w-]{10,} | xapp-[\w-]{10,} | AIza[\w-]{30,}
  | ya29\.[\w-]{16,} | GOCSPX-[\w-]{16,} | SG\.[\w-]{16,}\.[\w-]{16,} | npm_[A-Za-z0-9]{30,} | hf_[A-Za-z0-9]{30,}
  | pypi-AgE[\w-]{16,}
"""
"""Keys of known issuers."""
_START = r"(?:\b|(?<=\\[nrt]))"
"""Where a word begins, also after an escaped line end: `\\nBearer`."""
_PEM = "[A-Z ]*PRIVATE KEY(?: BLOCK)?-----"
_SHAPES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(rf"-----BEGIN {_PEM}.*?(?:-----END {_PEM}|\Z)", re.DOTALL), REDACTED),
    # A token without its dots is none, but is matched, so that no other search begins inside of it.
    (
        re.compile(_START + r"eyJ[\w-]{5,}+(?:\.[\w-]+(?:\.[\w-]*){0,3})?"),
        lambda token: REDACTED if "." in token[0] else token[0],
    ),
    (re.compile(_START + r"(Bearer|Basic)(\s++)[\w.~+/=:-]{4,}", re.IGNORECASE), rf"\1\2{REDACTED}"),
    (re.compile(r"://[^\s\"'<>]++"), lambda address: _without_password(*address[0].rpartition("@"))),
    (re.compile(rf"{_START}(?:{_ISSUED})", re.VERBOSE), REDACTED),
)
_TYPED = r"[bBfFrRuU]{0,2}+\\*+[\"']"
"""The quote that opens a text, also of Python's: b"..."."""
_BLOCK = r"[|>][-+\d]{0,2}+[ \t]*+"
"""What opens YAML's block of lines."""
_HEADER = re.compile(
    rf"""
    {_START}(?P<name> (?:proxy-)?authorization | (?:set-)?cookie )
    (?P<separator> \\*+["']?+ \s*+ [:=][>=]?+ \s*+ )
    (?! [\[{{] | (?: [\w.]*+\(\s*+ )?+ {_TYPED} | {_BLOCK}[\r\n\\] )      # those are pairs, with an end of their own
    (?: [^\r\n"'\\]++
      | (?:(?<==)|(?<==\ ))(?P<quote>\\{{0,3}}["']) (?: (?!(?P=quote)). )*+ (?P=quote)?+    # theme="dark"; a=b
      | ["'](?=\w) )+                                                         # a'b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_KEY = re.compile(
    r"""
    (?<![\w.-])(?P<key> [\w.-]++ ) \\*+["']?+ \s*+
    (?: != | [:=][>=]?+(?:\*\*)?+ | (?<=["']),\ (?=b["']) ) \s*+            # **Token:** x; (b'cookie', b'a=b')
    """,
    re.VERBOSE,
)
_NO_PAIR = r"(?![\w.-]++\\*+[\"']?+\s*+[:=])"
_BARE = r"(?:[^\s,;&\"'}\])]++|[\"'}\])](?=\w))++"
_QUOTED = r"""
    (?: (?P<quote>\\++["']) (?: [^\\]++ | (?!(?P=quote))\\++(?s:.) )*+ (?P=quote)?+ )+    # \"in a quoted text\"
  | (?: (?P<mark>["']) (?: [^\\"']++ | \\(?s:.) | (?!(?P=mark))["'] )*+ (?P=mark)?+ )+    # "two words", '''three'''
"""
_VALUE = re.compile(
    rf"""
    [bBfFrRuU]{{0,2}}+(?: {_QUOTED} )
  | (?P<open> [\[{{](?!redacted\]) | [\w.]*+\((?= \s*+{_TYPED} ) )           # ["x", "y"], SecretStr("x")
  | {_BLOCK}(?: \\++[rn] )++[ \t]++[^"']*+                                 # the next in a quoted text
  | {_BLOCK}\r?\n(?P<indent>[ \t]++).*+ (?: \r?\n(?: (?P=indent).*+ | (?=\r?\n) ) )*+  # YAML's block
  | (?P<bare> {_BARE}(?: [,;&]{_NO_PAIR}{_BARE} )*+                        # a,b but of a,b=c only the a
      (?: \]?+(?: \ \|\ [\w.]++ )?+\ =\ (?: [\w.]++\( )?+{_TYPED}[^"'\n]*+["']?+ )?+ )  # str | None = "x"
    """,
    re.VERBOSE,
)
_REST = re.compile(rf"(?:[ \t,;&]++{_NO_PAIR}{_BARE})++")
"""What follows on the first word of a passphrase: the rest of its line, or what stands before the next pair."""
_PHRASE_KEY = re.compile("pass|pwd|secret", re.IGNORECASE)
_BRACKET = re.compile(rf"(?:(?<![\w\\])|(?<=\b[bBfFrRuU]))(?:{_QUOTED})|[\[{{(]|[\]}})]", re.VERBOSE)
"""What opens and closes, and a text, which may hold both."""
_OPTION = re.compile(
    r"""
    (?: (?<![\w.-]) | (?<=\\[nrt]) ) --(?P<key>[\w.-]++)     # --password
    (?P<separator>\s++)
    (?P<value> "[^"]*+"?+ | '[^']*+'?+ | [^\s"'-][^\s"']*+ ) # and no further option
    """,
    re.VERBOSE,
)
_INVALID = re.compile(
    r"""
    (?: (?: ^ | (?<=\\n) )(?P<place> [^\n\\]{0,300}+ )(?: \n | \\n )             # login.password
        [ |]{2,}+ (?: (?! \\n | \binput_value= ). )*+ )?                         #   Input should be a string [
    \binput_value=(?P<value> (?: (?! ,\ input_type= | \binput_value= )(?s:.) )*+ )  # 1234, input_type=int]
    (?= ,\ input_type= | \Z )
    """,
    re.MULTILINE | re.VERBOSE,
)
"""What pydantic says about an invalid value: where it is in one line, the value in the next."""
_WORD_ENDS = " \t\"'"
_HARMLESS = frozenset({"null", "none", "true", "false", REDACTED})


_T = TypeVar("_T")


class Memo(dict[str, _T]):
    """The answers about texts that come again and again; long ones are not kept, and no more than a few thousand."""

    def __init__(self, answer: Callable[[str], _T]) -> None:
        self._answer = answer

    def __missing__(self, text: str) -> _T:
        answer = self._answer(text)
        if len(text) <= MAX_MEMO_LENGTH:
            if len(self) >= MAX_MEMOS:
                self.clear()
            self[text] = answer
        return answer


class Redactor:
    """Takes secrets out of texts and JSON values; `extra_keys` are more names whose values are secret."""

    def __init__(self, extra_keys: Iterable[str] = ()) -> None:
        self._extra = frozenset(filter(None, map(_squash, extra_keys)))
        hints = [r"[\W_]*+".join(map(re.escape, key)) for key in self._extra]
        self.hint = re.compile("|".join((_HINTS.pattern, *hints)), re.VERBOSE).search
        """Find in a text in lower case what tells that there is something to clean."""
        self.is_secret = Memo(self._judge).__getitem__
        """Tell whether a key of this name holds a secret, in any case and style."""

    def suspects(self, text: str) -> bool:
        """Tell whether JSON text may hold a secret: cheap, and wrong only towards yes."""
        return self.hint(text.lower()) is not None or (bool(self._extra) and "\\" in text)

    def text(self, text: str) -> str:
        """Return a text without its secrets."""
        if self.hint(text.lower()) is None:
            return text
        if "input_value=" in text:
            text = _INVALID.sub(self._invalid, text)
        for pattern, replacement in _SHAPES:
            text = pattern.sub(replacement, text)
        text = _HEADER.sub(rf"\g<name>\g<separator>{REDACTED}", text)
        return _OPTION.sub(self._option, self._pairs(text))

    def value(self, value: Any) -> Any:
        """Return a JSON value without its secrets, containers copied."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._item(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def _judge(self, key: str) -> bool:
        squashed = _squash(key)
        spelt = (f"_{'_'.join(filter(None, split.split(key)))}_".lower() for split in _SPLITS)
        return (
            squashed in self._extra
            or squashed.rstrip("0123456789") in self._extra
            or any(map(_SECRET_KEY.search, spelt))
        )

    def _item(self, key: str, item: Any) -> Any:
        if self.is_secret(key) and item is not None and not isinstance(item, bool):
            return REDACTED
        return self.value(item)

    def _pairs(self, text: str) -> str:
        """Redact the values of secret keys; the value of any other key is looked through like the rest of the text."""
        parts, done, position = list[str](), 0, 0
        while (key := _KEY.search(text, position)) is not None:
            position = key.end()
            if self._is_secret(key) and (value := _VALUE.match(text, position)) is not None:
                shown, end = _masked(key, value)
                parts += (text[done:position], shown)
                done = position = end
        return "".join((*parts, text[done:]))

    def _is_secret(self, match: re.Match[str]) -> bool:
        """Tell whether the key of a pair is secret, also where the letter of an escaped line end stands before it."""
        key, start = match["key"], match.start()
        if match[0].startswith("PASS:"):  # what a test runner says
            return False
        is_escape = start > 0 and match.string[start - 1] == "\\" and key[0] in "nrt"
        return self.is_secret(key) or (is_escape and self.is_secret(key[1:]))

    def _invalid(self, match: re.Match[str]) -> str:
        """Redact an invalid value: all of it in a secret place, else from the word on in whose middle it was cut."""
        told, value = match[0][: match.start("value") - match.start()], match["value"]
        if any(map(self.is_secret, (match["place"] or "").strip().split("."))):
            return f"{told}{REDACTED}"
        head, cut, _ = value.partition("...")
        return f"{told}{self._pairs(head[: max(map(head.rfind, _WORD_ENDS)) + 1])}{cut}" if cut else match[0]

    def _option(self, match: re.Match[str]) -> str:
        return f"--{match['key']}{match['separator']}{REDACTED}" if self.is_secret(match["key"]) else match[0]


def without_login(text: str) -> str:
    """Return a text in which stars stand for all that is before its last @, but for a scheme."""
    return _LOGIN.sub(r"\1***@", text)


def _without_password(login: str, at: str, place: str) -> str:
    return _PASSWORD.sub(rf"\1{REDACTED}", login) + at + place


def _masked(key: re.Match[str], value: re.Match[str]) -> tuple[str, int]:
    """Return what is shown of a secret, its quotes, and all of it where it says nothing; and where it ends."""
    text, end = value[0], _end(value)
    if (rest := _rest(key, value)) is not None:
        return REDACTED, rest.end()
    if text.strip("\\\"'").lower() in _HARMLESS or text.startswith(REDACTED[:-1]):
        return value.string[value.start() : end], end
    quote = value["quote"] or value["mark"] or ""
    return f"{quote}{REDACTED}{quote}", end


def _rest(key: re.Match[str], value: re.Match[str]) -> re.Match[str] | None:
    """Return the further words of a passphrase that stands bare, as in `password: two words`."""
    is_bare = value["bare"] and value[0][0] not in "\\[" and key[0][-1] in ": \t" and "\n" not in key[0]
    return _REST.match(value.string, value.end()) if is_bare and _PHRASE_KEY.search(key["key"]) else None


def _end(value: re.Match[str]) -> int:
    """Return where a value ends: a list, an object or a call at the bracket that closes it, or with the text."""
    if value["open"] is None:
        return value.end()
    opening, closing, depth = *(("(", ")") if value["open"][-1] == "(" else ("[{", "]}")), 0
    for token in _BRACKET.finditer(value.string, value.end() - 1):
        depth += (token[0] in opening) - (token[0] in closing)
        if not depth:
            return token.end()
    return len(value.string)


def _squash(key: str) -> str:
    return re.sub(r"[\W_]+", "", key.lower())
